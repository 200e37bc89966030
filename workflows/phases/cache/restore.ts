/** A cache from an RDB file: into the master, while nothing of it runs; the replicas follow from there. */
import { workflowInfo } from '@temporalio/workflow';
import type { CacheServer, RdbFound } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { Subject } from '../../../evidence/people.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { askOf, type CacheSeen, isAway, type NamedCache, serverAsk, serverName, serverNamed } from './cache.ts';
import { othersThan, start, stop } from './servers.ts';

/** The name of the approval, wherever it is asked. */
export const replaceCacheContent = 'Replace cache content';

export interface CacheRestore {
  server: CacheServer;
  file: string;
  rdb: RdbFound;
}

/** @throws PlanInvalid @throws RdbUnfit @throws NotPermitted before anything is changed */
export async function rdbFor(run: Run, named: NamedCache, master: string): Promise<CacheRestore> {
  const { restoreFrom: file } = named.component;
  if (file === undefined)
    throw failure(
      'PlanInvalid',
      `the plan does not say what ${named.name} is restored from: add restoreFrom, an RDB file on the host of ${master}.`,
    );
  const server = serverNamed(named, master);
  return { server, file, rdb: await run.host(server.host).rdbFound({ server, file }) };
}

/** @returns how many keys the master has come up with */
export async function restoreInto(
  run: Run,
  named: NamedCache,
  seen: CacheSeen,
  restore: CacheRestore,
): Promise<number> {
  // What was there when they agreed; it may be another file than at the assessment, and they have been shown it then.
  let { rdb } = restore;
  await run.approval(replaceCacheContent, async () => {
    const facts = await factsToApprove(run, named, restore);
    rdb = facts.rdb;
    return facts;
  });
  await run.change(`Stop the servers of ${named.name}`, stopAll(run, named, seen));
  const { keys } = await run.change<Found & { keys: number }>(
    `Restore the RDB into ${serverName(restore.server)} of ${named.name}`,
    intoStopped(run, named, { ...restore, rdb }),
  );
  await run.change(`Start ${named.name} with what was restored`, startAll(run, named, restore));
  return keys;
}

async function factsToApprove(
  run: Run,
  named: NamedCache,
  { server, file }: CacheRestore,
): Promise<{ subject: Subject; shown: Subject; rdb: RdbFound }> {
  const rdb = await run.host(server.host).rdbFound({ server, file });
  const { members, found } = await run.control.cacheState(askOf(run, named));
  const now = members.find(({ name }) => name === serverName(server));
  return {
    rdb,
    subject: {
      cache: named.name,
      server: serverName(server),
      file,
      sha256: rdb.sha256,
      'written at': rdb.at ?? 'a time that it does not say',
      keys: rdb.keys,
    },
    shown: {
      size: formatBytes(rdb.bytes),
      'keys now': now?.keys ?? 'not known: it does not answer',
      'how it stands': found,
      'is lost': `what clients have written since ${rdb.at ?? 'the file was written'}`,
      'the old files': `are set aside in ${server.dataDirectory}/${asideOf()}, and kept there`,
      'can be undone': 'until the run has ended: the old files come back, without what is written meanwhile',
      'what happens next':
        'all servers of the cache are stopped, the file is loaded, the master is started, then its replicas, which take all of it anew',
    },
  };
}

function asideOf(): string {
  return `before-${workflowInfo()
    .workflowId.replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 100)}`;
}

/** Replicas first: while the master goes, none of them may be made another one. */
function stopAll(run: Run, named: NamedCache, seen: CacheSeen) {
  const { master } = seen.standing;
  const servers = [...othersThan(named, master), serverNamed(named, master)];
  return {
    preview: async () => ({
      will: `stop ${servers.map(serverName).join(', then ')}; nobody can use ${named.name} from then on`,
      yields: { found: 'would be stopped' } as Found,
    }),
    apply: async () => {
      const found: string[] = [];
      for (const server of servers) found.push((await stop(run, named, server)).found);
      return { found: found.join('; ') };
    },
    undo: async () => {
      const ran = servers.toReversed().filter((server) => !isAway(seen, serverName(server)));
      return startInOrder(run, named, master, ran);
    },
  };
}

/** A replica that came up first, with what it had, would be chosen by Sentinel. */
async function startInOrder(run: Run, named: NamedCache, master: string, servers: CacheServer[]): Promise<Found> {
  const found: string[] = [];
  for (const server of servers) {
    found.push((await start(run, named, server)).found);
    if (serverName(server) === master) await masterSeen(run, named, master);
  }
  return { found: found.join('; ') || 'nothing had run' };
}

function masterSeen(run: Run, named: NamedCache, master: string) {
  const withinMs = named.component.healthyWithin;
  return run.control.cacheSettled({ ...askOf(run, named), master, onlyMaster: true, withinMs });
}

function intoStopped(run: Run, named: NamedCache, { server, file, rdb }: CacheRestore) {
  const ask = { ...serverAsk(named, server), aside: asideOf() };
  return {
    preview: async () => ({
      will: `set the files in ${server.dataDirectory} on ${server.host} aside, load ${rdb.keys} keys of ${file} (${formatBytes(rdb.bytes)}, written ${rdb.at ?? 'at a time that it does not say'}), and write them as the configuration starts from`,
      yields: { keys: rdb.keys, found: 'not loaded' },
    }),
    apply: () =>
      run
        .host(server.host)
        // It has as long as the phase: a large file is loaded for long.
        .restoreCache({ ...ask, file, sha256: rdb.sha256, withinMs: Math.max(run.patienceMs(), 60_000) }),
    undo: () => run.host(server.host).giveCacheBack(ask),
  };
}

function startAll(run: Run, named: NamedCache, { server }: CacheRestore) {
  const master = serverName(server);
  const replicas = othersThan(named, master);
  return {
    preview: async () => ({
      will: `start ${master}, and once Sentinel sees it as the master ${replicas.map(serverName).join(', ') || 'nobody else'}`,
      yields: { found: 'not started' } as Found,
    }),
    apply: () => startInOrder(run, named, master, [server, ...replicas]),
    undo: async () => {
      for (const one of [...replicas, server]) await stop(run, named, one);
      return { found: 'stopped' };
    },
  };
}
