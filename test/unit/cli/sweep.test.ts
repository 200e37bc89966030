import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../../cli/confirm.ts';
import type { Ending, ListedRun } from '../../../cli/engine/engine.ts';
import type { Evidence, Leftover } from '../../../evidence/evidence.ts';
import { at, type Estate, evidence, running, scriptedRun, stage, summary } from './stage.ts';

const left: Leftover = {
  host: 'db2',
  kind: 'directory',
  what: '/srv/scratch/orders-dead',
  path: '/srv/scratch/orders-dead',
  identity: '8:1 ab',
  bytes: 41_200_000_000,
  since: at,
  run: 'orders-dead',
  verdict: 'left',
  why: 'orders-dead ended terminated',
};
const foreign: Leftover = { ...left, what: '/srv/scratch/other', verdict: 'unknown', why: 'nobody knows' };

/** Every run that is started here is this one: the sweep looks, and removes, under one name. */
function swept(leftovers: Leftover[], over: Partial<Estate> = {}) {
  const shown = evidence({ runbook: 'sweep', mode: 'dry-run', outcome: 'previewed', leftovers });
  const ended = { state: running({ status: 'completed' as const }), evidence: shown };
  const ending = { status: 'completed' as const, summary: summary({ runbook: 'sweep', outcome: 'previewed' }) };
  return stage({ runs: { 'orders-7f3a': scriptedRun([ended], ending) }, ...over });
}

const modes = (on: ReturnType<typeof stage>) => on.orders.map(({ input }) => input.mode);

describe('sweep', () => {
  test('finds nothing, asks nothing, and is good', async () => {
    const on = swept([]);
    await on.type('sweep', 'orders');
    expect(on.out.join('\n')).toContain('Nothing was left behind by runs of orders');
    expect(modes(on)).toEqual(['dry-run']);
    expect(on.code()).toBe(0);
  });

  test('says what, where, how large, of which run, since when, and how sure', async () => {
    const on = swept([left, foreign]);
    await on.type('sweep', 'orders', '--dry-run');
    const words = on.out.join('\n');
    expect(words).toMatch(
      /db2 {2}\/srv\/scratch\/orders-dead\n +41\.2 GB, of orders-dead, since 2026-11-21T14:02:11Z, sure/,
    );
    expect(words).toMatch(/Left alone:\n +db2 {2}\/srv\/scratch\/other\n.*not known to be ours: nobody knows/);
    expect(on.messages.join('\n')).not.toContain('Remove');
    expect(on.code()).toBe(8);
  });

  test('does not claim that nothing was left where the front door is closed', async () => {
    const shown = evidence({
      ...{ runbook: 'sweep', mode: 'dry-run', outcome: 'previewed', leftovers: [] },
      doorClosed: { why: 'it leads to nobody: db1 primary.', byHand: 'Open it to db1' },
    });
    const ended = { state: running({ status: 'completed' as const }), evidence: shown };
    const ending = { status: 'completed' as const, summary: summary({ runbook: 'sweep', outcome: 'previewed' }) };
    const on = stage({ runs: { 'orders-7f3a': scriptedRun([ended], ending) } });
    await on.type('sweep', 'orders');
    expect(on.out.join('\n')).toMatch(
      /Nobody can write to orders, it leads to nobody.*Open it to db1.*Nothing else was left/s,
    );
    expect(on.code()).toBe(8);
  });

  test.each([
    [true, ['dry-run', 'live'], 0],
    [false, ['dry-run'], 8],
    [undefined, ['dry-run'], 8],
  ])('asked whether to remove it, answered %s: runs %j, ends with %i', async (answer, expected, code) => {
    const on = swept([left], answer === undefined ? {} : { answer });
    await on.type('sweep', 'orders');
    expect(on.messages.join('\n')).toContain('Remove it?');
    expect(modes(on)).toEqual(expected);
    expect(on.code()).toBe(code);
  });

  test('with --yes removes exactly what was shown, without asking', async () => {
    const on = swept([left]);
    await on.type('sweep', 'orders', '--yes', '--json', '--host', 'db2');
    expect(on.orders[1]?.input).toMatchObject({ service: 'orders', mode: 'live', shownBy: 'orders-7f3a', host: 'db2' });
    expect(on.messages.join('\n')).not.toContain('Remove');
    expect(JSON.parse(on.out.join(''))).toMatchObject({ shownBy: 'orders-7f3a', leftovers: [left], removal: {} });
    expect(on.code()).toBe(0);
  });

  test('with --json never asks', async () => {
    const on = swept([left], { answer: true });
    await on.type('sweep', 'orders', '--json');
    expect(JSON.parse(on.out.join(''))).toEqual({ shownBy: 'orders-7f3a', service: 'orders', leftovers: [left] });
    expect(on.code()).toBe(8);
  });

  test('never removes what is only not known to be anybody’s', async () => {
    const on = swept([foreign], { answer: true });
    await on.type('sweep', 'orders', '--yes');
    expect(modes(on)).toEqual(['dry-run']);
    expect(on.code()).toBe(0);
  });

  test('refuses what contradicts itself', async () => {
    const on = swept([left]);
    await on.type('sweep', 'orders', '--yes', '--dry-run');
    expect(on.orders).toEqual([]);
    expect(on.code()).toBe(2);
  });
});

describe('a question', () => {
  const asked = async (answer: string, tty = true) => {
    const input = Object.assign(new PassThrough(), { isTTY: tty });
    const output = Object.assign(new PassThrough(), { isTTY: tty });
    const reply = confirm('Remove it?', input, output);
    input.end(answer);
    return reply;
  };

  test.each([
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['yesterday\n', false],
    ['', false],
  ])('answered %j is %s', async (answer, expected) => {
    expect(await asked(answer)).toBe(expected);
  });

  test('where no person sits is not asked', async () => {
    expect(await asked('y\n', false)).toBeUndefined();
  });
});

describe('status', () => {
  const listed = (over: Partial<ListedRun>): ListedRun => ({
    run: 'orders-dead',
    runId: 'run-id-1',
    runbook: 'monthly-drill',
    service: 'orders',
    mode: 'drill',
    status: 'terminated',
    startedAt: new Date(at),
    endedAt: new Date('2026-11-21T14:03:00.000Z'),
    ...over,
  });
  const end = (flags: ('dirty' | 'late')[]) => ({
    status: 'completed' as const,
    summary: summary({ runbook: 'sweep', outcome: 'completed', flags }),
  });
  const sweepRun = listed({
    run: 'orders-sweep',
    runbook: 'sweep',
    mode: 'live',
    status: 'completed',
    startedAt: new Date('2026-11-21T15:00:00.000Z'),
  });
  const orphans = async (runs: ListedRun[], flags: ('dirty' | 'late')[] = []) => {
    const ended = [{ state: running({ status: 'terminated' }) }];
    const on = stage({
      listed: runs,
      runs: {
        'orders-sweep': scriptedRun(ended, end(flags)),
        'orders-dead': scriptedRun(ended, { status: 'terminated' }),
      },
    });
    await on.type('status');
    return on.out
      .join('\n')
      .split('\n')
      .filter((line) => line.includes('lifeboat sweep orders'));
  };

  test('names a run that could not clean up, and points to the sweep', async () => {
    const [line] = await orphans([listed({})]);
    expect(line).toContain('orders-dead  monthly-drill was terminated');
  });

  test('is silent about it once a sweep has left nothing, not when something stayed', async () => {
    expect(await orphans([sweepRun, listed({})])).toEqual([]);
    expect(await orphans([sweepRun, listed({})], ['dirty'])).toHaveLength(1);
    const later = listed({ endedAt: new Date('2026-11-21T16:00:00.000Z') });
    expect(await orphans([later, sweepRun])).toHaveLength(1);
  });

  test('does not take an execution that a reset discarded, or a dry run, for one', async () => {
    const goesOn = listed({ runId: 'run-id-2', status: 'running', startedAt: new Date('2026-11-21T14:02:30.000Z') });
    expect(await orphans([goesOn, listed({})])).toEqual([]);
    expect(await orphans([listed({}), goesOn])).toEqual([]);
    expect(await orphans([listed({ mode: 'dry-run' })])).toEqual([]);
  });

  describe('of a switchover', () => {
    const switched = { run: 'orders-switch', runbook: 'switchover', mode: 'live' } as const;
    const door = { why: 'two primaries.', byHand: 'Stop one of them, then open it.' };
    const wordsOf = async (one: ListedRun, ended: Evidence, ending: Ending, swept: ListedRun[] = []) => {
      const on = stage({
        listed: [...swept, one],
        runs: {
          'orders-switch': scriptedRun([{ state: running({ status: 'completed' }), evidence: ended }], ending),
          'orders-sweep': scriptedRun([{ state: running({ status: 'completed' }) }], end([])),
        },
      });
      await on.type('status');
      return on.out.join('\n');
    };

    test('says how it ended, and that its backup is the newest', async () => {
      const done = summary({ ...switched, outcome: 'completed', backup: '20261121-140500I' });
      const words = await wordsOf(listed({ ...switched, status: 'completed' }), evidence(), {
        status: 'completed',
        summary: done,
      });
      expect(words).toMatch(/switched COMPLETED {2}orders-switch/);
      expect(words).toMatch(/backup +COMPLETED {2}orders-switch/);
    });

    test('says that it has left the front door closed and what to do, until a sweep has found it open', async () => {
      const left = evidence({ ...switched, outcome: 'failed', endedAt: at, doorClosed: door });
      const ending: Ending = {
        status: 'failed',
        summary: summary({ ...switched, outcome: 'failed', flags: ['door-closed'] }),
      };
      const one = listed({ ...switched, status: 'failed' });
      const words = await wordsOf(one, left, ending);
      expect(words).toContain('Nobody can write: two primaries.');
      expect(words).toContain('Stop one of them, then open it.');
      expect(await wordsOf(one, left, ending, [sweepRun])).not.toContain('Nobody can write');
    });

    test('that was terminated, points to the dry run that says how it stands', async () => {
      const words = await wordsOf(listed(switched), evidence({ ...switched, doorClosed: door }), {
        status: 'terminated',
      });
      expect(words).toContain('lifeboat start switchover orders (a dry run)');
    });

    test('or a recovery in place, says what leads out of it', async () => {
      const recovery = { ...switched, runbook: 'point-in-time-recovery' } as const;
      const steps = [{ ...evidence().steps[0], id: 'database/close-the-front-door', kind: 'change', state: 'done' }];
      const words = await wordsOf(listed(recovery), evidence({ ...recovery, doorClosed: door, steps } as never), {
        status: 'terminated',
      });
      expect(words).toContain('(1) Stop one of them, then open it.');
    });
  });

  test('says of a lock whose run has ended that the next one takes it over', async () => {
    const on = stage({ locks: [{ lock: 'lifeboat-host/db2', holder: 'orders-dead', since: new Date(at) }] });
    await on.type('status');
    expect(on.out.join('\n')).toMatch(/lifeboat-host\/db2 is held by orders-dead, .*the next one takes it over/);
  });
});
