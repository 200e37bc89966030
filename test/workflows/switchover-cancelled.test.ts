/** A switchover that is cancelled from the Temporal UI, at each of its steps. */
import { describe, expect, test } from 'vitest';
import { until } from '../../lab/until.ts';
import { sampled } from '../sample.ts';
import { approved, estateThatAsks } from './asking.ts';
import { useRig } from './rig.ts';
import { asBefore, locks } from './switching.ts';

const rig = useRig({ locks });

/** Cancels when this activity is reached after the yes, which does not notice it and comes to its end. */
async function cancelledAt(activity: string) {
  const estate = estateThatAsks();
  const handle = await rig.start(estate, 'switchover', [{ mode: 'live', requestedBy: 'cara' }]);
  let cancelled = false;
  estate.before = async (name) => {
    if (name !== activity || cancelled || !estate.calls.includes('makeSlot')) return;
    cancelled = true;
    await handle.cancel();
    // The time-skipping server stumbles over an activity that ends before the run has heard of its cancel.
    await until({ what: 'the run to stop its step', withinMs: 30_000 }, async () => {
      const { events = [] } = await handle.fetchHistory();
      return events?.some((event) => event.activityTaskCancelRequestedEventAttributes) || undefined;
    });
  };
  await approved(handle);
  await handle.result().catch(() => undefined);
  const evidence = estate.written.at(-1);
  if (evidence === undefined) throw new Error('no evidence was written');
  expect(cancelled).toBe(true);
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'Cancelled' }, leftBehind: [] });
  return { estate, evidence, status: (await handle.describe()).status.name };
}

describe('until the promotion it leaves everything as it was', () => {
  test.each(
    sampled(
      ['makeSlot', 'checkpoint', 'closeDoor', 'stopPrimary', 'standbyOnly', 'caughtUp'],
      3,
      'cancel a switchover in memory',
    ),
  )('at %s', async (activity) => {
    const { estate, evidence, status } = await cancelledAt(activity);
    expect(status).toBe('CANCELLED');
    expect(estate.pair).toMatchObject(asBefore);
    expect(estate.calls).not.toContain('promoteStandby');
    expect(evidence.doorClosed).toBeUndefined();
  });
});

test('in the promotion it goes no further: nothing is undone any more, and the closed door is told first', async () => {
  const { estate, evidence } = await cancelledAt('promoteStandby');
  expect(estate.pair.primaries).toEqual(['db2']);
  expect(estate.calls).not.toContain('startPrimary');
  expect(estate.pair.door).toBe('closed');
  expect(evidence.flags).toEqual(['door-closed']);
  expect(evidence.notUndone?.[0]).toMatchObject({ name: 'The front door' });
  expect(evidence.notUndone?.map(({ name }) => name)).toContain('Stop the primary');
});

describe('after it the new primary serves, and the old one is never a second one', () => {
  test.each(
    sampled(
      ['openDoor', 'makeFollower', 'archiveReaches', 'fingerprintsAt', 'startFollower', 'dropSlot'],
      3,
      'cancel a switchover in memory',
    ),
  )('at %s', async (activity) => {
    const { estate, evidence } = await cancelledAt(activity);
    expect(estate.pair).toMatchObject({ door: 'db2', servers: { db2: { role: 'primary', running: true } } });
    expect(estate.pair.primaries).toEqual(['db2']);
    expect(estate.calls).not.toContain('startPrimary');
    expect(estate.pair.servers.db1.signal).toBe(true);
    expect(evidence.notUndone?.map(({ name }) => name)).toContain('Promote the standby');
  });
});
