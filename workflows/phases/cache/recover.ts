/** What a run does with a cache: looked at first, then done, then looked at again. */
import type { CacheWork } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { bringRedisSentinel } from '../components/redis-sentinel.ts';
import { askOf, type CacheSeen, howItStands, type NamedCache } from './cache.ts';
import { changePlanned, changeUnplanned } from './change-master.ts';
import { rdbFor, restoreInto } from './restore.ts';
import { proveSettled } from './servers.ts';
import { warmUp, watchBefore } from './warm.ts';

export interface Work {
  apply(): Promise<void>;
  validate(): Promise<unknown>;
  /** Whether the cache is filled afterwards. */
  warms: boolean;
}

/** Everything in here only reads. @param work absent: what is needed */
export async function assess(run: Run, named: NamedCache, work: CacheWork | undefined): Promise<Work> {
  if (work === undefined) return asNeeded(run, named);
  const seen = await run.check(`How the cache ${named.name} stands`, async () => {
    const found = await howItStands(run, named);
    refuseWhatCannotBe(named, found, work);
    return found;
  });
  if (work === 'failover') return anotherMaster(run, named, seen);
  return work === 'restore' ? fromRdb(run, named, seen) : filled(run, named, seen);
}

function refuseWhatCannotBe({ name, component }: NamedCache, { standing }: CacheSeen, work: CacheWork): void {
  if (work === 'warm' && component.warm === undefined)
    throw failure('PlanInvalid', `the plan does not say how ${name} is warmed: add warm: { host, command, rate }.`);
  const { kind, master, words } = standing;
  if (work === 'warm' && kind !== 'healthy' && kind !== 'replicas-away')
    throw failure('CacheUnsettled', `${name} has no master that could be warmed: ${words}. Start without "do" first.`);
  if (work === 'failover' && kind !== 'healthy' && kind !== 'master-lost')
    throw failure(
      'CacheUnsettled',
      `nobody can take over from ${master} now: ${words}. Start without "do": what is stopped is started first.`,
    );
}

async function asNeeded(run: Run, named: NamedCache): Promise<Work> {
  const bring = bringRedisSentinel(run, named);
  const { healthy } = await run.check(`How the cache ${named.name} stands`, () => bring.look());
  const { warm } = named.component;
  // What was healthy is as full as it was.
  const warms = !healthy && warm !== undefined;
  return {
    warms,
    apply: async () => {
      if (healthy) return run.notePhase('application', `${named.name} is healthy: it was left alone.`);
      await bring.bringBack();
      if (warms) await warmTheMaster(run, named);
    },
    validate: () => serves(run, named, { onlyMaster: true }),
  };
}

function anotherMaster(run: Run, named: NamedCache, seen: CacheSeen): Work {
  const { standing } = seen;
  return {
    warms: false,
    apply: async () => {
      if (standing.kind === 'healthy') await changePlanned(run, named, seen);
      else await changeUnplanned(run, named, standing.master);
    },
    // A master that is lost is no replica yet.
    validate: () => serves(run, named, { onlyMaster: standing.kind !== 'healthy' }),
  };
}

async function fromRdb(run: Run, named: NamedCache, seen: CacheSeen): Promise<Work> {
  const { master } = seen.standing;
  const restore = await run.check(`The RDB for ${named.name} is sound`, async () => {
    const found = await rdbFor(run, named, master);
    return { ...found, found: found.rdb.found, expected: 'an RDB that redis-check-rdb finds whole' };
  });
  const warms = named.component.warm !== undefined;
  return {
    warms,
    apply: async () => {
      const keys = await restoreInto(run, named, seen, restore);
      // Of keys that expire some may have gone meanwhile.
      await proveSettled(run, named, { master, keys: Math.max(1, keys - restore.rdb.expiring) });
      if (warms) await warmUp(run, named, master);
    },
    validate: () => serves(run, named, {}),
  };
}

async function filled(run: Run, named: NamedCache, { standing }: CacheSeen): Promise<Work> {
  await watchBefore(run, named);
  return {
    warms: true,
    apply: () => warmUp(run, named, standing.master),
    validate: () => serves(run, named, { onlyMaster: true }),
  };
}

/** Whoever is the master by now. */
async function warmTheMaster(run: Run, named: NamedCache): Promise<void> {
  const state = await run.prove(`Which server of ${named.name} is to be warmed`, () =>
    run.control.cacheState(askOf(run, named)),
  );
  const master = state !== undefined && 'master' in state.standing ? state.standing.master : undefined;
  const [first] = named.component.members;
  // In a dry run nothing has become the master: any will do to say it.
  await warmUp(run, named, master ?? `${first?.host}:${first?.port}`);
}

function serves(run: Run, named: NamedCache, { onlyMaster = false }: { onlyMaster?: boolean }) {
  const { component, name } = named;
  return run.prove(`The cache ${name} serves`, () =>
    run.control.cacheSettled({
      ...askOf(run, named),
      withinMs: component.healthyWithin,
      ...(onlyMaster ? { onlyMaster: true as const } : {}),
    }),
  );
}
