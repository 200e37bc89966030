/** Database, cache and configuration of a service are gone at once: one run brings them back, and an observer asks each of them himself. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { addFiles, type EstateFiles } from '../../../lab/files.ts';
import { burnDown } from '../../../lab/fire.ts';
import { served } from '../../../lab/pair.ts';
import { addRedis, type EstateCache } from '../../../lab/redis-in-estate.ts';
import { sayYesToAll, withPeople } from '../../../scripts/kills/people.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, type Server } from '../observer.ts';
import { serverOf } from './scenario.ts';

vi.setConfig({ testTimeout: 420_000, hookTimeout: 240_000 });

const scenario = useEstate(withPeople);
let files: EstateFiles;
let cache: EstateCache;

beforeAll(async () => {
  const { estate } = scenario();
  files = await addFiles(estate.site, 'the-key-of-the-repository-in-tests');
  cache = await addRedis(estate);
  await cache.ask(await cache.master(), 'MSET', 'basket:1', 'tea', 'basket:2', 'bread');
  await cache.takeRdb();
  expect(await ended(await start(scenario(), 'fileBackup', { mode: 'live' }))).toMatchObject({ outcome: 'completed' });
  await backup(scenario());
});

const recover = (input: object = {}): Promise<WorkflowHandle> =>
  start(scenario(), 'fullRecovery', { mode: 'live', requestedBy: 'cara', ...input });

/** Restored from one backup, both have db1's directory for their sockets. */
function restored(host: 'db1' | 'db2'): Server {
  const { servers } = scenario().estate;
  return { host: servers.db1.socket, port: servers[host].port };
}

const answer = async () => (await (await fetch(files.nginx.url, { headers: { connection: 'close' } })).text()).trim();

/** Processes and what they have kept, of all three. */
async function loseTheCache(): Promise<void> {
  for (const server of cache.servers) await server.kill('SIGKILL');
  for (const { dataDirectory } of cache.component.members)
    for (const name of await readdir(dataDirectory))
      if (name === 'dump.rdb' || name.startsWith('append')) await rm(`${dataDirectory}/${name}`, { recursive: true });
}

async function archivedOrders(): Promise<number> {
  const db1 = serverOf(scenario(), 'db1');
  const [{ count } = { count: 0 }] = await ask<{ count: number }>(db1, 'select count(*)::int from orders');
  const [{ segment } = { segment: '' }] = await ask<{ segment: string }>(
    db1,
    'select pg_walfile_name(pg_switch_wal()) as segment',
  );
  await until(`${segment} is archived`, async () => {
    const [row] = await ask<{ last: string }>(db1, 'select last_archived_wal as last from pg_stat_archiver');
    return row !== undefined && row.last >= segment ? true : undefined;
  });
  return count;
}

test('a service of which nothing is gone is told so, and nobody is asked', async () => {
  const evidence = await ended(await recover());
  expect(evidence).toMatchObject({ outcome: 'failed', leftBehind: [], failure: { type: 'NothingLost' } });
  expect(evidence.failure?.message).toMatch(/database: .*left alone.*web: .*sessions: /);
  expect(evidence.approvals ?? []).toEqual([]);
});

test('the configuration alone is gone: it comes back, and neither database nor cache are touched', async () => {
  await rm(files.nginx.configuration, { recursive: true });
  const before = await cache.master();
  const handle = await recover();
  await sayYesToAll(handle);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', flags: [], leftBehind: [] });
  expect(await answer()).toBe('first');
  expect(await cache.master()).toBe(before);
  const touched = evidence.steps.filter(({ kind }) => kind === 'change').map(({ id }) => id);
  expect(touched.filter((id) => !id.includes('web'))).toEqual([]);
});

test('everything is gone: database, cache and configuration come back in one run', async () => {
  const { estate } = scenario();
  const certain = await archivedOrders();
  await burnDown(estate);
  await loseTheCache();
  await rm(files.nginx.configuration, { recursive: true });

  const handle = await recover();
  await sayYesToAll(handle);
  const evidence: Evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect((evidence.approvals ?? []).map(({ name }) => name)).toEqual([
    'Begin the full recovery',
    'Bring the database back',
    'Replace cache content',
  ]);

  expect(await served(estate)).toEqual(['db1']);
  const [{ count } = { count: 0 }] = await ask<{ count: number }>(restored('db1'), 'select count(*)::int from orders');
  expect(count).toBeGreaterThanOrEqual(certain);
  expect(await ask(restored('db2'), 'select status from pg_stat_wal_receiver')).toEqual([{ status: 'streaming' }]);
  expect(await cache.ask(await cache.master(), 'MGET', 'basket:1', 'basket:2')).toEqual(['tea', 'bread']);
  await cache.settled();
  expect(await answer()).toBe('first');
  expect(await readFile(files.site, 'utf8')).toContain('first');
  expect((await readdir(dirname(files.nginx.configuration))).filter((name) => name.startsWith('.'))).toEqual([]);
});
