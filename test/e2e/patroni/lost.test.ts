/** A cluster that Patroni keeps loses its primary, a whole host, and the store with its lock. */
import { expect, test, vi } from 'vitest';
import { lostFor } from '../../../lab/customer.ts';
import type { Host } from '../../../lab/layout.ts';
import { primaryOf, roles } from '../../../lab/pair.ts';
import { loseHost, postmasterOf } from '../../../lab/patroni/servers.ts';
import { backup, until, useEstate } from '../drill/scenario.ts';
import { isServed, patientMs, useCustomer } from '../switchover/scenario.ts';
import { inOrder, keptByPatroni, nothingLost, pausePatroni, preview, run, standbysOf, timelineOf } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(keptByPatroni);
const customer = useCustomer(scenario);

async function anotherLeads(than: Host): Promise<Host> {
  const { estate } = scenario();
  return until(`Patroni to make another one than ${than} the primary`, async () => {
    const now = await primaryOf(estate);
    return now === than ? undefined : now;
  });
}

test('a killed server is started again by Patroni, with nobody asked; the failover then says that nothing was lost', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  const incidentAt = new Date().toISOString();
  process.kill(await postmasterOf(estate, leader), 'SIGKILL');
  await isServed(customer());
  await inOrder(scenario());
  const evidence = await run(scenario(), 'databaseFailover', { incidentAt });
  expect(evidence.failure?.type === 'ServerAlive' || evidence.outcome === 'completed').toBe(true);
  expect(evidence.approvals ?? []).toEqual([]);
  await nothingLost(scenario(), customer());
});

test('a host is lost with all on it: Patroni fails over by itself, and Lifeboat proves it and counts what was lost', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  const timeline = await timelineOf(scenario());
  const incidentAt = new Date().toISOString();
  await loseHost(estate, leader);
  const next = await anotherLeads(leader);
  await isServed(customer());
  const evidence = await run(scenario(), 'databaseFailover', { incidentAt });
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftFenced: { host: leader } });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(await primaryOf(estate)).toBe(next);
  expect(await timelineOf(scenario())).toBeGreaterThan(timeline);
  const lost = await lostFor(estate, [...customer().acknowledged]);
  expect(evidence.rpo?.valueMs).toBeDefined();
  console.log(`${lost.length} acknowledged writes lost by the observer; ${evidence.rpo?.valueMs} ms by the pulse`);

  // It comes back by Patroni alone, and follows.
  await estate.process(leader).start();
  expect(await inOrder(scenario())).toBe(next);
});

test('while Patroni is paused nobody takes over: it is said why, and Patroni is asked once people have said yes', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  await pausePatroni(scenario(), true);
  await loseHost(estate, leader);
  try {
    const evidence = await run(scenario(), 'databaseFailover');
    expect(evidence.failure).toBeUndefined();
    const [approval] = evidence.approvals ?? [];
    expect(JSON.stringify(approval?.shown)).toContain('Patroni is paused');
    expect(await primaryOf(estate)).not.toBe(leader);
  } finally {
    await pausePatroni(scenario(), false);
    await estate.process(leader).start();
  }
  await inOrder(scenario());
});

test('without its store Patroni keeps no primary: reads say so, a switchover is refused, and nobody is promoted beside it', async () => {
  const { estate } = scenario();
  const leader = await inOrder(scenario());
  const timeline = await timelineOf(scenario());
  await estate.process('etcd').kill('SIGKILL');
  try {
    await until('Patroni to have stepped down', async () =>
      (await roles(estate))[leader] === 'standby' ? true : undefined,
    );
    const refused = await preview(scenario(), 'switchover');
    expect(refused.failure).toMatchObject({
      type: 'PatroniUnsettled',
      message: expect.stringContaining("Patroni's store cannot be asked"),
    });
    const failover = await preview(scenario(), 'databaseFailover');
    expect(failover.failure).toMatchObject({
      type: 'PatroniUnsettled',
      message: expect.stringContaining('promotes nobody beside it'),
    });
    expect(await standbysOf(scenario())).toHaveLength(3);
  } finally {
    await estate.process('etcd').start();
  }
  await inOrder(scenario());
  expect(await timelineOf(scenario())).toBeGreaterThanOrEqual(timeline);
  await isServed(customer());
  await backup(scenario());
});
