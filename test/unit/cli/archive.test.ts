import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FindingKind } from '../../../recovery/diagnosis.ts';
import { diagnose } from '../../../recovery/diagnosis.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import type { ArchiveResult } from '../../../workflows/archive.ts';
import { archiveOf, happen, lose, script, type TrueHistory } from '../recovery/true-history.ts';
import { running, scriptedRun, stage } from './stage.ts';

/** What the workers answer of such an archive. */
function answerOf(history: TrueHistory, timeline: number, over: Partial<ArchiveResult> = {}): ArchiveResult {
  const repository = archiveOf(history);
  const { segmentBytes, systemIdentifier, timelines, backups } = repository;
  return {
    service: 'orders',
    stanza: 'orders',
    config: '/etc/pgbackrest/pgbackrest.conf',
    systemIdentifier,
    segmentBytes,
    timeline,
    lsn: '4/A3C2F8',
    branches: timelines.map((info) => {
      const { from, to, gaps } = recoveryWindow(repository, [], info.id);
      return { ...info, window: { ...(from && { from }), ...(to && { to }), gaps } };
    }),
    backups,
    anchors: history.anchors,
    read: { segments: 12, of: 40, wholly: false },
    findings: diagnose(repository, timeline, { anchors: [], faults: [] }),
    notes: [],
    ...over,
  };
}

const ended = running({ status: 'completed' });
const stageOf = (result: ArchiveResult) =>
  stage({ runs: { 'orders-7f3a': scriptedRun([{ state: ended }], { status: 'completed', result }) } });

async function shown(result: ArchiveResult): Promise<{ lines: string[]; code: number | undefined }> {
  const on = stageOf(result);
  await on.type('archive', 'orders');
  return { lines: on.out.join('\n').split('\n'), code: on.code() };
}

/** A year with failovers, a recovery to a point in time that was given up, and one that was kept. */
const eventful = () =>
  happen({
    power: 4,
    log: 4,
    from: -3,
    happenings: [
      { kind: 'backup', segments: 1, rest: 100, error: false },
      { kind: 'write', segments: 5, rest: 7 },
      { kind: 'anchor' },
      { kind: 'promotion', of: 0, back: 1500, atNote: false },
      { kind: 'write', segments: 3, rest: 9 },
      { kind: 'promotion', of: 1, back: 0, atNote: false },
      { kind: 'write', segments: 4, rest: 9 },
      { kind: 'backup', segments: 0, rest: 900, error: false },
      { kind: 'promotion', of: 0, back: 0, atNote: false },
      { kind: 'write', segments: 6, rest: 0 },
      { kind: 'anchor' },
      { kind: 'write', segments: 2, rest: 0 },
    ],
  });

test('the tree shows the way of the service on one line, and what was left beside it', async () => {
  const { lines, code } = await shown(answerOf(eventful(), 4));
  expect(lines.filter((line) => /timeline \d+(,|$| )/.test(line)).slice(1)).toEqual([
    '● timeline 1',
    expect.stringMatching(/^├─○ timeline 2, left 1 at \d\/\w+, in 00000002\w+$/),
    expect.stringMatching(/^● timeline 3, left 1 at \d\/\w+, in 00000003/),
    expect.stringMatching(/^◆ timeline 4, left 3 at \d\/\w+, in 00000004/),
  ]);
  expect(lines).toContain('    the service writes here, at 4/A3C2F8');
  expect(lines.join('\n')).toContain('backup 20261101');
  expect(code).toBe(0);
});

test('a finding that threatens a recovery is told with what it means and what to type, and the exit code is 1', async () => {
  const history = eventful();
  lose(history, [[...history.archived].length - 2]);
  const { lines, code } = await shown(answerOf(history, 4));
  const words = lines.join('\n');
  expect(words).toMatch(/Findings: 1 threatens a recovery$/m);
  expect(words).toMatch(/✗ segment 00000004\w+ is not in the archive/);
  expect(words).toContain('      $ lifeboat backup orders --type full');
  expect(words).toContain('gap: 1 segment 00000004');
  expect(code).toBe(1);
});

test('a service that does not answer is said, and its branch is called the newest one only', async () => {
  const silent = 'DatabaseUnreachable: nobody answers at 127.0.0.1:5432';
  const { lsn: _lsn, ...rest } = answerOf(eventful(), 4, { silent });
  const { lines } = await shown(rest);
  expect(lines.join(' ')).toContain('The service does not answer (DatabaseUnreachable: nobody answers');
  expect(lines.join('\n')).toContain('    the newest');
  expect(lines.join('\n')).not.toContain('writes here');
});

test('whatever the archive holds, nothing but commands and names is wider than 80 columns, and nothing is coloured without a terminal', async () => {
  const widest = 80;
  await fc.assert(
    fc.asyncProperty(script, fc.array(fc.nat(1_000), { maxLength: 3 }), async (of, picks) => {
      const history = happen(of);
      lose(history, picks);
      const { lines } = await shown(answerOf(history, history.lines.length));
      const sides = (line: string) => (/^[│├ ]*/.exec(line)?.[0] ?? '').length;
      for (const line of lines) {
        if (line.trim().startsWith('$ ')) continue;
        expect(line.length, line).toBeLessThanOrEqual(widest + sides(line));
        expect(line).not.toContain('\u001b');
      }
    }),
    { numRuns: 40 },
  );
});

test('names of files cannot steer the terminal', async () => {
  const kind: FindingKind = 'stranger';
  const seen = '15-1/\u001b[2Jnotes is not a file of a WAL archive';
  const findings = [{ kind, threatens: false, seen, subjects: ['15-1/\u001b[2Jnotes'] }];
  const { lines, code } = await shown(answerOf(eventful(), 4, { findings }));
  expect(lines.join('\n')).not.toContain('\u001b');
  expect(lines.join('\n')).toContain('⟨1B⟩');
  expect(code).toBe(0);
});

test('archive --json has every finding with its meaning and its remedy', async () => {
  const history = eventful();
  lose(history, [0]);
  const answer = answerOf(history, 4);
  const on = stageOf(answer);
  await on.type('archive', 'orders', '--json', '--deep');
  expect(on.orders[0]).toMatchObject({ type: 'archive', input: { service: 'orders', deep: true } });
  const told: ArchiveResult = JSON.parse(on.out.join(''));
  expect(told).toMatchObject(answer);
  for (const finding of told.findings)
    expect(finding).toEqual({
      ...finding,
      means: expect.stringMatching(/\S/),
      todo: expect.arrayContaining([expect.any(String)]),
    });
});

test('archive asks nobody when nobody works', async () => {
  const on = stage({ workers: [] });
  await on.type('archive', 'orders');
  expect(on.orders).toEqual([]);
  expect(on.code()).toBe(6);
});
