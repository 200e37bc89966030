/** Servers of a cache that are started and stopped, each by the worker of its host. */
import type { CacheServer, CacheState } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { askOf, type NamedCache, serverAsk, serverName, serverNamed } from './cache.ts';

/** A host that is lost is not waited for as long as one whose worker is only slow. */
const hostWithinMs = 60_000;

export function start(run: Run, named: NamedCache, server: CacheServer): Promise<Found> {
  const withinMs = named.component.healthyWithin;
  return run.host(server.host).startCache({ ...serverAsk(named, server), withinMs });
}

export function stop(run: Run, named: NamedCache, server: CacheServer): Promise<Found> {
  const withinMs = named.component.healthyWithin;
  return run.host(server.host).stopCache({ ...serverAsk(named, server), withinMs });
}

/**
 * Starts those that are stopped; one that runs is left alone.
 *
 * @returns whose host does not answer: they are told, and stay away
 */
export async function startThose(run: Run, named: NamedCache, names: readonly string[]): Promise<string[]> {
  const silent: string[] = [];
  for (const name of names) {
    const { away } = await run.change(`Start ${name} of ${named.name}`, startOne(run, named, name));
    if (away) silent.push(name);
  }
  return silent;
}

function startOne(run: Run, named: NamedCache, name: string): Change<Found & { away?: true }> {
  const server = serverNamed(named, name);
  const there = run.hostIfThere(server.host, hostWithinMs);
  return {
    preview: async () => ({
      will: `start ${name}, if it does not run (${server.control?.start.join(' ') ?? 'the plan does not say how'})`,
      yields: { found: `${name} would be started` },
    }),
    apply: () => there.startCache({ ...serverAsk(named, server), withinMs: named.component.healthyWithin }),
    undo: { pointOfNoReturn: `${name} runs, as it should.` },
    passOver: { types: ['HostSilent'], yields: { away: true, found: `the host of ${name} does not answer` } },
    skip: { yields: { away: true, found: `${name} stays as it is` } },
  };
}

/** @param except members whose host is lost */
export async function proveSettled(
  run: Run,
  named: NamedCache,
  { except = [], keys, master }: { except?: readonly string[]; keys?: number; master?: string } = {},
): Promise<CacheState | undefined> {
  const { name, component } = named;
  return run.prove(`One master of ${name} serves, and the others follow it`, () =>
    run.control.cacheSettled({
      ...askOf(run, named),
      withinMs: component.healthyWithin,
      ...(master === undefined ? {} : { master }),
      ...(keys === undefined ? {} : { keys }),
      ...(except.length === 0 ? {} : { onlyMaster: true }),
    }),
  );
}

export function othersThan({ component }: NamedCache, master: string): CacheServer[] {
  return component.members.filter((one) => serverName(one) !== master);
}
