/** A cache comes back: by another master where a replica lives, by what lies on the disks, or from an RDB file when all is gone. */
import type { Cache, CacheServer } from '../../../activities/contract.ts';
import { type WayBack, wayOutOfNothing } from '../../../recovery/cache.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { type CacheSeen, howItStands, isAway, type NamedCache, serverAsk, serverName } from '../cache/cache.ts';
import { changeUnplanned } from '../cache/change-master.ts';
import { type CacheRestore, rdbFor, restoreInto } from '../cache/restore.ts';
import { proveSettled, startThose } from '../cache/servers.ts';
import type { Bring, Standing } from './component.ts';

interface Assessed extends CacheSeen {
  /** Of a cache of which nobody answers. */
  way?: WayBack;
  restore?: CacheRestore;
}

/** A runbook that offers it names the approval `replaceCacheContent` in its definition: a restore asks for it. */
export const bringRedisSentinel: Bring<Cache> = (run, named) => {
  let assessed: Assessed | undefined;
  return {
    look: async (): Promise<Standing> => {
      assessed = await assessment(run, named);
      const { kind } = assessed.standing;
      return {
        healthy: kind === 'healthy',
        ...(kind === 'replicas-away' ? { serves: true as const } : {}),
        found: assessed.found,
      };
    },
    bringBack: async () => {
      if (assessed === undefined) throw failure('Bug', `the cache ${named.name} was not looked at before`);
      await back(run, named, assessed);
    },
  };
};

async function assessment(run: Run, named: NamedCache): Promise<Assessed> {
  const seen = await howItStands(run, named);
  if (seen.standing.kind !== 'all-lost') return seen;
  const { master } = seen.standing;
  const looks = await Promise.all(named.component.members.map((server) => onTheDiskOf(run, named, server)));
  const way = wayOutOfNothing(master, looks);
  const silent = looks.filter((one) => one.silent).map(({ name }) => name);
  if (silent.length > 0 && way.way !== 'start')
    throw failure(
      'HostSilent',
      `nobody of ${named.name} answers, ${master} has nothing on its disk, and what ${silent.join(' and ')} has is not known: no worker answers there. Nothing was touched. Start lifeboat-host there first.`,
    );
  const found = `${seen.found}. On the disks: ${looks.map((one) => one.found).join('; ')}`;
  if (way.way !== 'restore') return { ...seen, found, way };
  const restore = await rdbFor(run, named, master);
  return { ...seen, way, restore, found: `${found}. ${restore.rdb.found}` };
}

/** A host that is lost is not waited for as long as one whose worker is only slow. */
const hostWithinMs = 60_000;

async function onTheDiskOf(run: Run, named: NamedCache, server: CacheServer) {
  const name = serverName(server);
  try {
    const files = await run.hostIfThere(server.host, hostWithinMs).cacheFiles(serverAsk(named, server));
    return { ...files, name, silent: false };
  } catch (error) {
    if (failureOf(error).type !== 'HostSilent') throw error;
    return { name, running: false, content: false, silent: true, found: `${name}: no worker answers on its host` };
  }
}

async function back(run: Run, named: NamedCache, seen: Assessed): Promise<void> {
  const { standing, way, restore } = seen;
  const { master, kind } = standing;
  const names = named.component.members.map(serverName);
  if (kind === 'healthy') return;
  if (kind === 'replicas-away') {
    const stopped = standing.away.filter((name) => isAway(seen, name));
    return proven(run, named, await startThose(run, named, stopped));
  }
  if (kind === 'master-lost') return takenOver(run, named, master, names);
  if (way?.way === 'failover') {
    // The master has nothing on its disk: it waits until another one has taken over.
    await startThose(run, named, way.start);
    return takenOver(
      run,
      named,
      master,
      names.filter((name) => !way.start.includes(name)),
    );
  }
  if (way?.way === 'start') {
    const first = await startThose(run, named, [way.first]);
    const rest = await startThose(
      run,
      named,
      names.filter((name) => name !== way.first),
    );
    return proven(run, named, [...first, ...rest]);
  }
  if (restore === undefined) throw failure('Bug', `the RDB of ${named.name} was not looked at before`);
  const keys = await restoreInto(run, named, seen, restore);
  // Of keys that expire some may have gone meanwhile.
  await proveSettled(run, named, { master, keys: Math.max(1, keys - restore.rdb.expiring) });
}

async function takenOver(run: Run, named: NamedCache, lost: string, others: readonly string[]): Promise<void> {
  const now = await changeUnplanned(run, named, lost);
  await proven(
    run,
    named,
    await startThose(
      run,
      named,
      others.filter((name) => name !== now),
    ),
  );
}

async function proven(run: Run, named: NamedCache, silent: readonly string[]): Promise<void> {
  await proveSettled(run, named, { except: silent });
}
