/** Who is the master: a planned change under load, one that is dead, frozen or not alone, and Sentinels that are too few. */
import { afterEach, describe, expect, test } from 'vitest';
import type { MasterSeen } from '../../../activities/contract.ts';
import { until } from '../../../lab/until.ts';
import { startClient, useRedis } from './rig.ts';

const rig = useRedis();

afterEach(async () => {
  for (const one of [...rig().servers, ...rig().sentinels]) {
    if (one.running) await one.kill('SIGCONT');
    else await one.start();
  }
  await rig().settled();
});

async function masterSeen(): Promise<MasterSeen> {
  const { members, standing } = await rig().does.cacheState(rig().about);
  if (standing.kind !== 'healthy') throw new Error(standing.words);
  const { name, runId, replication } = members.find((one) => one.name === standing.master) ?? {};
  return { name: name ?? '', runId: runId ?? '', replicationId: replication?.id ?? '' };
}

/** By its own word. */
async function roles(): Promise<Record<string, string>> {
  const said = rig().component.members.map(async ({ port }) => {
    const role = await rig()
      .ask(port, 'ROLE')
      .catch(() => ['silent']);
    return [`db1:${port}`, String((role as unknown[])[0])] as const;
  });
  return Object.fromEntries(await Promise.all(said));
}

async function processOfMaster() {
  const port = await rig().master();
  const index = rig().component.members.findIndex((one) => one.port === port);
  const found = rig().servers[index];
  if (found === undefined) throw new Error(`no member has port ${port}`);
  return { process: found, name: `db1:${port}`, port };
}

test('every member and every Sentinel is asked', async () => {
  await rig().fill('seen', 25);
  const state = await rig().does.cacheState(rig().about);
  expect(state.standing.kind).toBe('healthy');
  expect(state.members.map(({ role }) => role).toSorted()).toEqual(['master', 'replica', 'replica']);
  for (const one of state.members) expect(one).toMatchObject({ keys: 25, appendOnly: 'on' });
  for (const one of state.sentinels) expect(one).toMatchObject({ quorum: { ok: true }, master: { down: false } });
});

test('a wrong password is said as one, and no member is taken for lost', async () => {
  process.env.LIFEBOAT_TEST_REDIS = 'not the password';
  const cache = { ...rig().component, password: '${env:LIFEBOAT_TEST_REDIS}' };
  await expect(rig().does.cacheState({ ...rig().about, cache })).rejects.toMatchObject({
    type: 'CacheRefused',
    message: expect.not.stringContaining('not the password'),
  });
  delete process.env.LIFEBOAT_TEST_REDIS;
});

describe('a planned change of the master', () => {
  test('loses nothing that a client had acknowledged, there and back, under load', async () => {
    const client = await startClient(rig(), 'planned');
    for (let round = 0; round < 2; round += 1) {
      const before = await masterSeen();
      const changed = await rig().does.cacheSwitchover({ ...rig().about, master: before, withinMs: 20_000 });
      expect(changed.master).not.toBe(before.name);
      expect(changed.pausedMs).toBeLessThan(8_000);
      expect(await roles()).toMatchObject({ [before.name]: 'slave', [changed.master]: 'master' });
      await client.served();
      await rig().settled();
    }
    expect(client.acknowledged.size).toBeGreaterThan(1_000);
    expect(await client.lost()).toEqual([]);
  });

  test('asked again it finds it done', async () => {
    const before = await masterSeen();
    const ask = { ...rig().about, master: before, withinMs: 20_000 };
    const { master } = await rig().does.cacheSwitchover(ask);
    const again = await rig().does.cacheSwitchover(ask);
    expect(again).toMatchObject({ master, found: expect.stringContaining('was found done') });
  });

  test('is not begun from a master that was started anew since it was seen', async () => {
    const before = await masterSeen();
    const ask = { ...rig().about, master: { ...before, runId: 'another' }, withinMs: 20_000 };
    await expect(rig().does.cacheSwitchover(ask)).rejects.toMatchObject({ type: 'Moved' });
    expect((await masterSeen()).name).toBe(before.name);
  });

  test('is not begun while a replica is away', async () => {
    const before = await masterSeen();
    const replica = rig().component.members.findIndex(({ port }) => `db1:${port}` !== before.name);
    await rig().servers[replica]?.stop();
    const ask = { ...rig().about, master: before, withinMs: 20_000 };
    await expect(rig().does.cacheSwitchover(ask)).rejects.toMatchObject({ type: 'CacheUnsettled' });
    expect(await roles()).toMatchObject({ [before.name]: 'master' });
  });
});

describe('a master that is lost', () => {
  test('gives way to a replica, and follows it when it is back', async () => {
    const { process: dead, name } = await processOfMaster();
    await dead.kill('SIGKILL');
    const state = await rig().does.cacheState({ ...rig().about, settleMs: 20_000 });
    // Sentinel may have been faster than we were.
    expect(['master-lost', 'replicas-away', 'split']).toContain(state.standing.kind);
    const { master } = await rig().does.cacheFailover({ ...rig().about, lost: name, withinMs: 60_000 });
    expect(master).not.toBe(name);
    expect(await roles()).toMatchObject({ [master]: 'master', [name]: 'silent' });
    await dead.start();
    const settled = await rig().does.cacheSettled({ ...rig().about, master, withinMs: 60_000 });
    expect(settled.standing.kind).toBe('healthy');
    expect(await roles()).toMatchObject({ [master]: 'master', [name]: 'slave' });
  });

  test('is not lost while it answers', async () => {
    const { name } = await processOfMaster();
    await expect(rig().does.cacheFailover({ ...rig().about, lost: name, withinMs: 10_000 })).rejects.toMatchObject({
      type: 'ServerAlive',
    });
    expect(await roles()).toMatchObject({ [name]: 'master' });
  });

  test('frozen and awake again, it is seen beside the new one, until Sentinel has brought it back into line', async () => {
    const { process: frozen, name, port } = await processOfMaster();
    await frozen.kill('SIGSTOP');
    const { master } = await rig().does.cacheFailover({ ...rig().about, lost: name, withinMs: 60_000 });
    expect(master).not.toBe(name);
    await frozen.kill('SIGCONT');
    // It says that it is the master until it is told otherwise.
    const woken = await rig().does.cacheState(rig().about);
    const itself = woken.members.find((one) => one.name === name);
    if (itself?.role === 'master') expect(woken.standing.kind).toBe('split');
    const settled = await rig().does.cacheSettled({ ...rig().about, master, withinMs: 60_000 });
    expect(settled.members.find((one) => one.name === name)).toMatchObject({ role: 'replica', follows: { master } });
    expect(String(((await rig().ask(port, 'ROLE')) as unknown[])[0])).toBe('slave');
  });
});

test('two masters are a split brain, and neither is touched', async () => {
  const before = await masterSeen();
  // Not frozen: one that wakes does nothing for half a minute, for its clock has jumped.
  for (const one of rig().sentinels) await one.stop();
  const other = rig().component.members.find(({ port }) => `db1:${port}` !== before.name);
  await rig().ask(other?.port ?? 0, 'REPLICAOF', 'NO', 'ONE');
  const two = await roles();
  expect(Object.values(two).filter((role) => role === 'master')).toHaveLength(2);
  const state = await rig().does.cacheState({ ...rig().about, settleMs: 1_000 });
  expect(state.standing).toMatchObject({ kind: 'split', words: expect.stringContaining('each say that they are') });
  const settled = rig().does.cacheSettled({ ...rig().about, withinMs: 500 });
  await expect(settled).rejects.toMatchObject({ type: 'SplitBrain', nonRetryable: true });
  const planned = rig().does.cacheSwitchover({ ...rig().about, master: before, withinMs: 5_000 });
  await expect(planned).rejects.toMatchObject({ type: 'SplitBrain' });
  const lost = rig().does.cacheFailover({ ...rig().about, lost: before.name, withinMs: 1_000 });
  await expect(lost).rejects.toMatchObject({ type: expect.stringMatching(/QuorumMissing|SplitBrain/) });
  expect(await roles()).toEqual(two);
});

test('too few Sentinels choose nobody, and are not made to by one of them', async () => {
  const { process: dead, name } = await processOfMaster();
  for (const one of rig().sentinels.slice(1)) await one.stop();
  await dead.kill('SIGKILL');
  await until({ what: 'the last Sentinel to know that it is alone', withinMs: 20_000 }, async () => {
    const { standing } = await rig().does.cacheState(rig().about);
    return standing.kind === 'no-quorum' && standing.words.includes('NOQUORUM');
  });
  const failover = rig().does.cacheFailover({ ...rig().about, lost: name, withinMs: 10_000 });
  await expect(failover).rejects.toMatchObject({
    type: 'QuorumMissing',
    message: expect.stringContaining('nobody listens'),
  });
  expect(Object.values(await roles()).filter((role) => role === 'master')).toEqual([]);
});
