/** Which cache, how it stands, and whom its steps ask. */
import type { Cache, CacheAsk, CacheServer, CacheState } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { CacheStanding } from '../../../recovery/cache.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';

export interface NamedCache {
  name: string;
  component: Cache;
}

/** Where there is a master, or Sentinel at least knows who was it. */
export type WithMaster = Extract<CacheStanding, { master: string }>;

export interface CacheSeen extends Found {
  state: CacheState;
  standing: WithMaster;
}

export function askOf(run: Run, { component }: NamedCache): CacheAsk {
  return { cache: component, addresses: addresses(run.plan) };
}

export const serverName = ({ host, port }: Pick<CacheServer, 'host' | 'port'>): string => `${host}:${port}`;

export function serverNamed({ name, component }: NamedCache, wanted: string): CacheServer {
  const found = component.members.find((one) => serverName(one) === wanted);
  if (found !== undefined) return found;
  throw failure(
    'PlanInvalid',
    `${wanted} is no member of ${name}, expected one of ${component.members.map(serverName).join(', ')}. Correct the plan.`,
  );
}

/** What host workers need of a server: a secret is only named. */
export function serverAsk({ component }: NamedCache, server: CacheServer) {
  const { user, password } = component;
  return { server, ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
}

/**
 * Sentinel needs some seconds to call a master down, and to bring one back into line that was frozen: it is given them first.
 *
 * @throws SplitBrain @throws QuorumMissing @throws CacheUnreachable @throws CacheUnsettled nothing here could bring it back
 */
export async function howItStands(run: Run, named: NamedCache): Promise<CacheSeen> {
  const { component, name } = named;
  const state = await run.control.cacheState({ ...askOf(run, named), settleMs: component.healthyWithin });
  const { standing } = state;
  if ('master' in standing)
    return { state, standing, found: state.found, expected: 'one master, and every other member follows it' };
  const refusals = {
    split: [
      'SplitBrain',
      'Nothing was touched. Find out which of them holds what clients have written, stop the other one, and let Sentinel bring it back.',
    ],
    'no-quorum': ['QuorumMissing', 'Nothing was touched. Bring the Sentinels back first.'],
    unseen: [
      'CacheUnreachable',
      'Nothing was touched: it may well serve its clients. Look at the way from the control worker to it.',
    ],
    loading: ['CacheUnsettled', 'Wait until it has loaded them, then start again.'],
  } as const;
  const [type, todo] = refusals[standing.kind];
  throw failure(type, `${name}: ${standing.words}. Expected one master, and replicas that follow it. ${todo}`);
}

export function isAway({ state }: CacheSeen, name: string): boolean {
  return state.members.find((one) => one.name === name)?.role === 'unknown';
}
