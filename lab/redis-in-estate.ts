/** A cache beside the database of an estate: in its plan, and in the permits of its hosts. */
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseDocument, stringify } from 'yaml';
import { needParts } from '../parts/parts.ts';
import type { Estate } from './estate.ts';
import { giveTo } from './host.ts';
import { reservePort } from './ports.ts';
import { inWords, type RedisEstate, startRedis } from './redis.ts';

export interface EstateCache extends RedisEstate {
  /** An RDB that the plan restores from. */
  rdb: string;
  /** Writes what the master holds to it. */
  takeRdb(): Promise<void>;
}

/** Named `sessions`; the master on db1 at the beginning. @param more of its component, as a plan says it */
export async function addRedis(estate: Estate, more: object = {}): Promise<EstateCache> {
  const { site } = estate;
  const { redis } = await needParts(['redis'], site.say);
  const directory = join(site.layout.root, 'redis');
  const three = () => Promise.all([reservePort(), reservePort(), reservePort()]);
  const cache = await startRedis(site, {
    program: redis.path,
    directory,
    hosts: ['db1', 'db2', 'db2'],
    ports: { members: await three(), sentinels: await three() },
    account: site.account,
  });
  const rdb = join(directory, 'dump.rdb');
  const plan = parseDocument(await readFile(estate.planFile, 'utf8'));
  plan.setIn(['components', 'sessions'], plan.createNode({ ...inWords(cache), restoreFrom: rdb, ...more }));
  await writeFile(estate.planFile, plan.toString({ lineWidth: 0 }));
  for (const host of site.hosts) {
    const file = site.layout.host(host).permit;
    const text = stringify({ ...(parse(await readFile(file, 'utf8')) as object), ...cache.permit(host) });
    await rm(file);
    await writeFile(file, text);
    await chmod(file, site.account.ids ? 0o644 : 0o444);
  }
  const takeRdb = async () => {
    const master = await cache.master();
    await cache.ask(master, 'SAVE');
    const member = cache.component.members.find(({ port }) => port === master);
    await copyFile(join(member?.dataDirectory ?? '', 'dump.rdb'), rdb);
    await giveTo(site.account, rdb);
  };
  return { ...cache, rdb, takeRdb };
}
