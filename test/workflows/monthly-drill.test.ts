import { setTimeout } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test, vi } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { RunSummary } from '../../evidence/evidence.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

/** The failure that a run ended with, and its summary. */
async function ended(running: Promise<unknown>): Promise<{ type: string; message: string; summary?: RunSummary }> {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { type, message, details } = error.cause;
    return { type: type ?? '', message, ...(details?.[0] ? { summary: details[0] as RunSummary } : {}) };
  }
  throw new Error('the run ended well');
}

/** A cancel reaches an activity with its next heartbeat. */
async function untilCancelled(): Promise<void> {
  const beat = setInterval(() => heartbeat(), 50);
  await Context.current().cancelled.finally(() => clearInterval(beat));
}

describe('a monthly drill', () => {
  test('starts from nothing, proves the restore, measures, and leaves nothing', async () => {
    const estate = new FakeEstate();
    const summary = await rig.run(estate, 'monthlyDrill', []);
    expect(summary).toMatchObject({ outcome: 'proven', flags: [], rpoMs: 23_000, service: 'orders' });
    expect(estate.scratchThere).toBe(false);
    const [evidence] = estate.written;
    expect(evidence?.phases.map((phase) => phase.endedAt !== undefined)).toEqual([true, true, true, true, true]);
    expect(evidence?.equality?.tables.every((table) => table.equal)).toBe(true);
    expect(evidence?.notExercised.map((one) => one.what)).toEqual(['swap', 'traffic', 'people']);
  });

  test('pauses at the anchor before it moves on to the target', async () => {
    const estate = new FakeEstate();
    await rig.run(estate, 'monthlyDrill', [{ service: 'orders' }]);
    const order = estate.calls.filter((name) =>
      ['restoreBeside', 'replayTo', 'fingerprints', 'promoteScratch', 'removeScratch'].includes(name),
    );
    expect(order).toEqual(['restoreBeside', 'replayTo', 'fingerprints', 'replayTo', 'promoteScratch', 'removeScratch']);
  });

  test('without an anchor is proven, but says that equality is not', async () => {
    const estate = new FakeEstate();
    estate.anchors = [];
    const summary = await rig.run(estate, 'monthlyDrill', [{}]);
    expect(summary).toMatchObject({ outcome: 'proven', flags: ['equality-not-proven'] });
  });

  test('right after a backup goes to the end of the backup, when no later commit is archived yet', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'newestCommit') throw failure('TargetOutsideWindow', 'no commit lies in the archive');
    };
    await rig.run(estate, 'monthlyDrill', [{}]);
    expect(estate.written[0]?.target?.lsn).toBe('0/5000138');
  });

  test('finishes every proof when one of them fails, and ends with that failure', async () => {
    const estate = new FakeEstate();
    estate.before = async (name) => {
      if (name === 'checkIndexes') throw failure('DataCorrupt', 'index orders_pkey is damaged');
      // Time enough for a cancel to reach it, were there one.
      if (name === 'checkConstraints') await Promise.race([untilCancelled(), setTimeout(1_000)]);
    };
    const end = await ended(rig.run(estate, 'monthlyDrill', [{}]));
    expect(end).toMatchObject({ type: 'DataCorrupt', summary: { outcome: 'not-proven' } });
    const states = Object.fromEntries(
      (estate.written[0]?.steps ?? [])
        .filter(({ group }) => group === 'validation')
        .map(({ name, state }) => [name, state]),
    );
    expect(states).toEqual({
      'All acknowledged pulses up to the target are there': 'done',
      'Indexes agree with their tables': 'failed',
      'Constraints hold for every row': 'done',
      'The assertions of the plan hold': 'done',
    });
  });

  test('with a missing segment ends not-proven, names it, and restores nothing', async () => {
    const estate = new FakeEstate();
    const [timeline] = estate.repository.timelines;
    if (timeline)
      timeline.ranges = [
        { first: '000000010000000000000001', last: '000000010000000000000005', count: 5 },
        { first: '000000010000000000000007', last: '000000010000000000000009', count: 3 },
      ];
    const end = await ended(rig.run(estate, 'monthlyDrill', [{}]));
    expect(end.type).toBe('ArchiveGap');
    expect(end.message).toContain('000000010000000000000006');
    expect(end.summary?.outcome).toBe('not-proven');
    expect(estate.calls).not.toContain('restoreBeside');
  });

  test('whose data differ from the anchor is not proven, and is cleaned up', async () => {
    const estate = new FakeEstate();
    const [orders] = estate.restoredAnchor.tables;
    if (orders) orders.rows += 1;
    const end = await ended(rig.run(estate, 'monthlyDrill', [{}]));
    expect(end).toMatchObject({ type: 'NotEqual', summary: { outcome: 'not-proven' } });
    expect(end.message).toContain('public.orders');
    expect(estate.scratchThere).toBe(false);
  });

  test('in which one of several checks side by side fails stops the others, and tells that one', async () => {
    const estate = new FakeEstate();
    estate.before = async (name) => {
      // The time-skipping server stalls when an activity is cancelled in the moment in which it completes: none here does.
      if (name === 'hostFacts' || name === 'repository') await untilCancelled();
      if (name !== 'storeAnswers') return;
      await vi.waitUntil(() => estate.calls.includes('hostFacts') && estate.calls.includes('repository'));
      throw failure('StoreRefused', 'the store does not know the key');
    };
    const end = await ended(rig.run(estate, 'monthlyDrill', [{}]));
    expect(end.type).toBe('StoreRefused');
    const ready = estate.written[0]?.steps.find((step) => step.id === 'assessment/the-drill-host-is-ready');
    expect(ready?.state).toBe('cancelled');
    expect(estate.written[0]?.failure?.step).toBe('assessment/the-evidence-store-answers');
  });

  test('that misses an acknowledged pulse before its target is not proven', async () => {
    const estate = new FakeEstate();
    estate.missingPulses = 1;
    expect(await ended(rig.run(estate, 'monthlyDrill', [{}]))).toMatchObject({ type: 'PulsesMissing' });
  });

  test('tries again what may pass, and counts the time apart', async () => {
    const estate = new FakeEstate();
    let left = 3;
    estate.before = (name) => {
      if (name === 'repository' && left-- > 0) throw failure('ArchiveUnreachable', 'the store does not answer');
    };
    expect(await rig.run(estate, 'monthlyDrill', [{}])).toMatchObject({ outcome: 'proven' });
    expect(estate.calls.filter((name) => name === 'repository')).toHaveLength(4);
  });

  test('to a chosen moment measures no loss', async () => {
    const estate = new FakeEstate();
    estate.lastCommitAt = '2026-11-21T13:59:59.900Z';
    await rig.run(estate, 'monthlyDrill', [{ target: '2026-11-21T14:00:00Z' }]);
    expect(estate.written[0]?.rpo.valueMs).toBeUndefined();
    expect(estate.written[0]?.rpo.how).toContain('not measured');
  });

  test('to a chosen moment is not proven by a server that holds later commits: its backup ended after that moment', async () => {
    const estate = new FakeEstate();
    const end = await ended(rig.run(estate, 'monthlyDrill', [{ target: '2026-11-21T14:00:00Z' }]));
    expect(end.type).toBe('ReplayFailed');
    expect(end.message).toContain('holds a commit of 2026-11-21T14:01:48.113Z, after the target');
  });

  test('to a moment that cannot be told, because a clock is wrong, is refused before anything is restored', async () => {
    const estate = new FakeEstate();
    estate.workerAheadMs = -3_600_000;
    const end = await ended(rig.run(estate, 'monthlyDrill', [{ target: '2026-11-21T14:00:00Z' }]));
    expect(end.type).toBe('ClockSkewed');
    expect(estate.calls).not.toContain('restoreBeside');
  });

  test('names a host whose clock is wrong, and is proven all the same', async () => {
    const estate = new FakeEstate();
    estate.hostNow = '2026-11-21T15:02:11.000Z';
    const summary = await rig.run(estate, 'monthlyDrill', [{}]);
    expect(summary).toMatchObject({ outcome: 'proven', flags: ['clocks-differ'], rpoMs: 23_000 });
    expect(estate.written[0]?.toDo).toMatch(
      /^Correct the clock .*host db2 is at least .* ahead of that of the database/,
    );
  });

  test('does not believe the age of a backup that is stamped after the moment of the drill', async () => {
    const estate = new FakeEstate();
    estate.now = '2026-11-21T13:00:00.000000Z';
    estate.hostNow = estate.now;
    const end = await ended(rig.run(estate, 'monthlyDrill', [{}]));
    expect(end.type).toBe('ClockSkewed');
    expect(end.message).toContain('after this moment on the database');
  });

  test('to a moment outside of the window is refused with the window', async () => {
    const estate = new FakeEstate();
    const end = await ended(rig.run(estate, 'monthlyDrill', [{ target: '2026-11-20T14:00:00Z' }]));
    expect(end.type).toBe('TargetOutsideWindow');
    expect(end.message).toContain('2026-11-21T13:55:08');
  });

  test('is told the window also when nothing was archived since the backup', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'newestCommit') throw failure('TargetOutsideWindow', 'no commit lies in the archive');
    };
    const end = await ended(rig.run(estate, 'monthlyDrill', [{ target: '2026-11-20T14:00:00Z' }]));
    expect(end.type).toBe('TargetOutsideWindow');
    expect(end.message).toContain('the window is 2026-11-21T13:55:08Z to 2026-11-21T13:55:08Z');
  });
});

describe('a drill that finds another server than its own beside', () => {
  test('makes its own anew, once for all proofs side by side, and goes on', async () => {
    const estate = new FakeEstate();
    const lost = new Set(['checkIndexes', 'checkConstraints', 'pulsesRestored']);
    estate.before = (name) => {
      if (!lost.delete(name)) return;
      throw failure('BesideLost', 'the server beside was left by an execution that a reset discarded');
    };
    expect(await rig.run(estate, 'monthlyDrill', [{}])).toMatchObject({ outcome: 'proven' });
    const from = estate.calls.lastIndexOf('restoreBeside');
    expect(estate.calls.slice(from, from + 4)).toEqual(['restoreBeside', 'replayTo', 'replayTo', 'promoteScratch']);
    const times = (name: string) => estate.calls.filter((one) => one === name).length;
    expect([times('restoreBeside'), times('checkIndexes'), times('checkConstraints')]).toEqual([2, 2, 2]);
    expect(estate.calls.indexOf('checkConstraints')).toBeLessThan(from);
    expect(estate.calls.lastIndexOf('checkIndexes')).toBeGreaterThan(from);
    const [evidence] = estate.written;
    expect(evidence?.steps.find((step) => step.id === 'validation/make-the-server-beside-anew-1')?.state).toBe('done');
    expect(evidence?.measurements.filter((one) => one.name === 'restore')).toHaveLength(1);
  });

  test('and again when it was made anew, is not proven', async () => {
    const estate = new FakeEstate();
    estate.before = (name) => {
      if (name === 'checkIndexes') throw failure('BesideLost', 'there is no restored server any more');
    };
    expect(await ended(rig.run(estate, 'monthlyDrill', [{}]))).toMatchObject({ type: 'BesideLost' });
    expect(estate.calls.filter((name) => name === 'checkIndexes')).toHaveLength(2);
  });
});

describe('a cancelled drill', () => {
  test('waits for the work in flight, removes what it made, and writes its evidence', async () => {
    const estate = new FakeEstate();
    const handle = await rig.start(estate, 'monthlyDrill', [{}]);
    estate.before = async (name) => {
      if (name !== 'smoke') return;
      await handle.cancel();
      await untilCancelled();
    };
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(estate.scratchThere).toBe(false);
    expect(estate.written[0]).toMatchObject({ outcome: 'aborted', leftBehind: [] });
    expect(estate.calls.at(-1)).toBe('writeEvidence');
  });
});

describe('a drill whose worker went silent while it was cancelled', () => {
  test('is aborted, not failed', async () => {
    const estate = new FakeEstate();
    const handle = await rig.start(estate, 'monthlyDrill', [{}]);
    estate.before = async (name) => {
      if (name !== 'smoke') return;
      await handle.cancel();
      await untilCancelled().catch(() => undefined);
      throw failure('HostSilent', 'the worker went silent');
    };
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(estate.written[0]).toMatchObject({ outcome: 'aborted', failure: { type: 'Cancelled' } });
    expect(estate.scratchThere).toBe(false);
  });
});

describe('what a drill is started with', () => {
  test.each([
    [[{ servce: 'orders' }], 'did you mean "service"'],
    [[{ target: '2026-11-21 14:00:00' }], 'without an offset'],
    [[{ mode: 'live' }], 'drill, dry-run'],
    [['orders'], 'one JSON object'],
    [[[1]], 'a list'],
  ])('%j is refused in words', async (input, words) => {
    const estate = new FakeEstate();
    const end = await ended(rig.run(estate, 'monthlyDrill', input));
    expect(end.type).toBe('InputInvalid');
    expect(end.message).toContain(words);
    expect(estate.calls).toEqual([]);
  });
});

describe('a dry run', () => {
  test('runs on workers that can only read, and changes nothing', async () => {
    const estate = new FakeEstate();
    const summary = await rig.run(estate, 'monthlyDrill', [{ mode: 'dry-run' }], { readOnly: true });
    expect(summary.outcome).toBe('previewed');
    // What is only read, and Lifeboat's own notes, are done in a dry run too.
    const others = estate.written[0]?.steps.filter(({ kind }) => kind !== 'check' && kind !== 'record') ?? [];
    const states = new Set(others.map((step) => step.state));
    expect([...states].sort()).toEqual(['listed', 'previewed']);
    expect(estate.written[0]?.steps.filter((step) => step.kind === 'change').every((step) => step.preview)).toBe(true);
  });
});
