/** The runbook on an estate with a cache: healthy, changed, and with everything of it gone. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { addRedis, type EstateCache } from '../../../lab/redis-in-estate.ts';
import { sayYesToAll, withPeople } from '../../../scripts/kills/people.ts';
import { ended, start, useEstate } from '../drill/scenario.ts';

const scenario = useEstate({ ...withPeople, shop: false, faults: false });
let cache: EstateCache;

beforeAll(async () => {
  cache = await addRedis(scenario().estate);
});

async function run(input: object): Promise<Evidence> {
  const handle = await start(scenario(), 'cacheRecovery', input);
  await sayYesToAll(handle);
  return ended(handle);
}

const live = { mode: 'live', requestedBy: 'cara' };
const keysOn = async (port: number) => Number(await cache.ask(port, 'DBSIZE'));

test('what is healthy is left alone', async () => {
  const pids = cache.servers.map(({ pid }) => pid);
  const evidence = await run(live);
  expect(evidence.failure).toBeUndefined();
  expect(evidence.outcome).toBe('completed');
  expect(cache.servers.map(({ pid }) => pid)).toEqual(pids);
});

test('another master is asked for, and comes', async () => {
  const before = await cache.master();
  const evidence = await run({ ...live, do: 'failover' });
  expect(evidence.failure).toBeUndefined();
  const now = await cache.master();
  expect(now).not.toBe(before);
  expect(((await cache.ask(now, 'ROLE')) as unknown[])[0]).toBe('master');
  expect(((await cache.ask(before, 'ROLE')) as unknown[])[0]).toBe('slave');
  expect(evidence.measurements.find(({ name }) => name === 'Writes to sessions stood still')?.value).toBeLessThan(
    8_000,
  );
});

test('when all of it is gone it comes back from the RDB, and a dry run has said so before', async () => {
  const master = await cache.master();
  const script = 'for i = 1, 3000 do redis.call("SET", "k:" .. i, i) end return 1';
  await cache.ask(master, 'EVAL', script, '0');
  await cache.takeRdb();
  for (const one of cache.servers) await one.kill('SIGKILL');
  for (const { dataDirectory } of cache.component.members)
    for (const name of await readdir(dataDirectory)) await rm(join(dataDirectory, name), { recursive: true });

  const dry = await run({ mode: 'dry-run' });
  expect(dry.failure).toBeUndefined();
  expect(dry.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name)).toEqual([
    'Stop the servers of sessions',
    expect.stringMatching(/^Restore the RDB into db\d:\d+ of sessions$/),
    'Start sessions with what was restored',
  ]);
  for (const { dataDirectory } of cache.component.members) expect(await readdir(dataDirectory)).toEqual([]);

  const evidence = await run(live);
  expect(evidence.failure).toBeUndefined();
  expect(evidence.outcome).toBe('completed');
  expect(evidence.approvals?.map(({ name }) => name)).toEqual(['Replace cache content']);
  await cache.settled();
  for (const { port } of cache.component.members) expect(await keysOn(port)).toBe(3_000);
  const password = (await readFile(cache.passwordFile, 'utf8')).trim();
  expect(JSON.stringify(evidence)).not.toContain(password);
});
