/** Until the promotion a switchover can be given up: everything is as it was, whatever it is that ends it. */
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { other, primaryOf, roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { sampled } from '../../sample.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import { withClockAhead } from '../faults/wrong-clock.ts';
import { ask } from '../observer.ts';
import {
  condition,
  type Moment,
  patientMs,
  startSwitchover,
  stillServed,
  switchOver,
  useCustomer,
  whileAt,
  withPeople,
} from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

test('given up while people are asked, nothing was touched', async () => {
  const before = await condition(scenario());
  const handle = await startSwitchover(scenario());
  await until('people are asked', async () => (await handle.query<Evidence>('evidence')).approvals?.[0]);
  await handle.cancel();
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await condition(scenario())).toEqual(before);
});

const moments: Moment[] = [
  { activity: 'traffic/make-a-slot-for-the-way-back', side: 'during' },
  { activity: 'traffic/make-a-slot-for-the-way-back', side: 'after' },
  { activity: 'traffic/write-a-checkpoint-on-the-primary', side: 'after' },
  { activity: 'traffic/close-the-front-door', side: 'during' },
  { activity: 'traffic/close-the-front-door', side: 'after' },
  { activity: 'traffic/stop-the-primary', side: 'before' },
  { activity: 'traffic/stop-the-primary', side: 'during' },
  { activity: 'traffic/stop-the-primary', side: 'after' },
  { activity: 'traffic/let-the-old-primary-start-as-a-standby-only', side: 'after' },
  { activity: 'traffic/let-the-old-primary-start-as-a-standby-only.2', side: 'after' },
];

test.each(sampled(moments, 2, 'cancel a switchover'))(
  'cancelled at $activity ($side), all is bit for bit as before, and the customer goes on',
  async (moment) => {
    const before = await condition(scenario());
    const handle = await startSwitchover(scenario());
    const { done } = await whileAt(scenario(), moment, () => handle.cancel());
    await sayYes(handle);
    await done;
    const evidence = await ended(handle);
    expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    await until('the standby streams again', async () => {
      const [one, two] = [before, await condition(scenario())].map((all) => JSON.stringify(all));
      if (one !== two) throw new Error(`${two}, before: ${one}`);
      return true;
    });
    await stillServed(scenario(), customer());
  },
);

test('when the standby dies after the stop, the old primary serves again, and the next one is refused in words', async () => {
  const from = await primaryOf(scenario().estate);
  const standby = scenario().estate.servers[other(from)].process;
  const handle = await startSwitchover(scenario());
  const { done } = await whileAt(scenario(), { activity: 'traffic/stop-the-primary', side: 'after' }, () =>
    standby.kill('SIGKILL'),
  );
  await sayYes(handle);
  await done;
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'DatabaseUnreachable' } });
  expect(evidence.leftBehind.join()).toContain('Make a slot for the way back');
  expect(await roles(scenario().estate)).toMatchObject({ [from]: 'primary', [other(from)]: 'down' });
  expect(await served(scenario().estate)).toEqual([from]);
  await stillServed(scenario(), customer());

  const next = await ended(await startSwitchover(scenario(), { mode: 'dry-run' }));
  expect(next.failure?.message).toContain(`${other(from)} cannot be asked for a role`);
  await standby.start();
  await until('it streams again', async () => {
    const { socket: host, port } = scenario().estate.servers[from];
    const streams = await ask({ host, port }, 'select state from pg_stat_replication');
    return JSON.stringify(streams).includes('streaming') ? true : undefined;
  });
  expect(await switchOver(scenario())).toMatchObject({ outcome: 'completed' });
});

test('with the clock of the control worker an hour ahead people have as long as ever, their yes counts, and the clock is named', async () => {
  const from = await primaryOf(scenario().estate);
  await withClockAhead(scenario().estate.process('control'), 60, async () => {
    const handle = await startSwitchover(scenario());
    const asked = await until(
      'people are asked',
      async () => (await handle.query<Evidence>('evidence')).approvals?.[0],
      60_000,
    );
    expect(Math.abs(Date.parse(asked.openedAt) - Date.now())).toBeLessThan(60_000);
    const [{ since, until: end } = { since: '', until: '' }] = asked.asked;
    expect(Date.parse(end) - Date.parse(since)).toBe(15 * 60_000);
    await sayYes(handle);
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'completed', flags: ['clocks-differ'] });
    expect(evidence.clocks).toMatchObject([{ clock: 'the control worker' }]);
    const latencies = evidence.approvals?.[0]?.clicks.map(({ latencyMs = Number.NaN }) => latencyMs) ?? [];
    expect(latencies.every((ms) => ms >= 0 && ms < 60_000)).toBe(true);
    const door = evidence.measurements.find(({ name }) => name === 'front door closed');
    expect(door?.value).toBeLessThan(60_000);
  });
  expect(await roles(scenario().estate)).toEqual({ [from]: 'standby', [other(from)]: 'primary' });
  await stillServed(scenario(), customer());
});
