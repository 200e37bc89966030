/** A cluster that Patroni keeps: drill and backup as ever, switchovers by Patroni, proven by Lifeboat, and what is refused before anything changes. */
import { expect, test, vi } from 'vitest';
import { primaryOf } from '../../../lab/pair.ts';
import { askRest } from '../../../lab/patroni/servers.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { drill, ended, start, until, useEstate } from '../drill/scenario.ts';
import { patientMs, useCustomer, whileAt } from '../switchover/scenario.ts';
import {
  inOrder,
  keptByPatroni,
  mayTakeOver,
  nothingLost,
  pausePatroni,
  preview,
  run,
  standbysOf,
  timelineOf,
} from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(keptByPatroni);
/** Takes a backup first: that one runs on Patroni unchanged is shown by every test here. */
const customer = useCustomer(scenario);

test('a drill proves what the archive holds of it, as of any other cluster', async () => {
  const evidence = await until('a drill on what was written since', async () => {
    const found = await drill(scenario());
    if (found.failure !== undefined) throw new Error(found.failure.message);
    return found;
  });
  expect(evidence.outcome).toBe('proven');
  expect(evidence.target?.timeline).toBe(await timelineOf(scenario()));
});

test('members are asked themselves, and Patroni beside them: what it keeps is said', async () => {
  const evidence = await preview(scenario(), 'switchover');
  expect(evidence).toMatchObject({ outcome: 'previewed' });
  const [first] = evidence.steps.filter(({ name }) => name.startsWith('Patroni can change the primary'));
  const leader = await primaryOf(scenario().estate);
  expect(first?.found).toContain(`lock: ${leader}`);
  for (const host of scenario().estate.site.hosts) expect(first?.found).toContain(`${host} `);
});

test('a switchover by Patroni loses nothing that was acknowledged, and the old primary comes back by Patroni', async () => {
  const { estate } = scenario();
  const from = await inOrder(scenario());
  const before = await timelineOf(scenario());
  customer().longestGap();
  const evidence = await run(scenario(), 'switchover', { to: 'db2' });
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(await inOrder(scenario())).toBe('db2');
  expect(await timelineOf(scenario())).toBe(before + 1);
  expect(await standbysOf(scenario())).toContain(from);
  await nothingLost(scenario(), customer());
  const history = await askRest<unknown[][]>(estate, 'db2', '/history');
  expect(history.at(-1)?.[0]).toBe(before);
  console.log(`writes stopped for ${Math.round(customer().longestGap().ms)} ms, by a client of its own`);
});

test('a paused Patroni is asked for nothing: that is said before people are asked', async () => {
  const timeline = await timelineOf(scenario());
  await pausePatroni(scenario(), true);
  try {
    const evidence = await preview(scenario(), 'switchover');
    expect(evidence.failure).toMatchObject({ type: 'StandbyUnfit', message: expect.stringContaining('paused') });
    expect(evidence.approvals ?? []).toEqual([]);
  } finally {
    await pausePatroni(scenario(), false);
  }
  expect(await timelineOf(scenario())).toBe(timeline);
});

test('a member that may not take over is not taken, and is refused where it is named', async () => {
  const leader = await inOrder(scenario());
  const [barred = leader, other = leader] = await standbysOf(scenario());
  await mayTakeOver(scenario(), barred, false);
  const refused = await preview(scenario(), 'switchover', { to: barred });
  expect(refused.failure).toMatchObject({ type: 'StandbyUnfit', message: expect.stringContaining('tag nofailover') });
  const taken = await run(scenario(), 'switchover');
  expect(taken).toMatchObject({ outcome: 'completed' });
  expect(await inOrder(scenario())).toBe(other);
  await mayTakeOver(scenario(), barred, true);
  await nothingLost(scenario(), customer());
});

test('what Patroni refuses leaves all as it was, and its words are told', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  const [to = leader] = await standbysOf(scenario());
  const timeline = await timelineOf(scenario());
  const handle = await start(scenario(), 'switchover', { mode: 'live', requestedBy: 'cara', to });
  // Patroni on the candidate dies after all was assessed and agreed to, right before the request.
  const { done } = await whileAt(scenario(), { activity: 'traffic/let-patroni-switch-over', side: 'before' }, () =>
    estate.process(to).kill('SIGSTOP'),
  );
  await sayYes(handle);
  await done;
  const evidence = await ended(handle);
  await estate.process(to).kill('SIGCONT');
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'PatroniRefused' }, leftBehind: [] });
  expect(await inOrder(scenario())).toBe(leader);
  expect(await timelineOf(scenario())).toBe(timeline);
  await nothingLost(scenario(), customer());
});

test('the control worker dies while Patroni switches over: the switch is done once, and proven', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  const timeline = await timelineOf(scenario());
  const handle = await start(scenario(), 'switchover', { mode: 'live', requestedBy: 'cara' });
  const { done } = await whileAt(
    scenario(),
    { activity: 'traffic/let-patroni-switch-over', side: 'after' },
    async () => {
      await estate.process('control').kill('SIGKILL');
      await estate.process('control').start();
    },
  );
  await sayYes(handle);
  await done;
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(await inOrder(scenario())).not.toBe(leader);
  expect(await timelineOf(scenario())).toBe(timeline + 1);
  await nothingLost(scenario(), customer());
});

test.each(['pointInTimeRecovery', 'fullRestore', 'standbyRebuild'])('%s refuses it at once', async (workflow) => {
  const evidence = await preview(
    scenario(),
    workflow,
    workflow === 'pointInTimeRecovery' ? { target: new Date().toISOString() } : {},
  );
  expect(evidence.failure).toMatchObject({ type: 'PatroniLeads' });
});
