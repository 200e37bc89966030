import type { Traffic } from '../../plan/schema.ts';
import type { Found } from '../shapes.ts';
import { haproxy } from './haproxy.ts';
import type { Backend, TrafficKind } from './kind.ts';

const kinds: Record<Traffic['kind'], TrafficKind> = { haproxy };

/**
 * Who serves now, and what would be changed so that another one does. Changes nothing.
 *
 * @param ask.wouldServe name of the host that would serve
 * @throws TrafficUnreachable @throws PlanInvalid
 */
export async function previewTraffic(ask: { traffic: Traffic; wouldServe: string }): Promise<Found> {
  const { traffic, wouldServe } = ask;
  const kind = kinds[traffic.kind];
  const backends = await kind.backends(traffic);
  const now = `backend ${traffic.backend} is served by ${list(backends.filter((one) => one.serves))}${others(backends)}`;
  return {
    found: `${now}. ${would(wouldServe, backends, () => kind.movesTo(traffic, wouldServe, backends))} Nothing was moved`,
    expected: 'the load balancer answers; nothing is moved',
  };
}

function would(server: string, backends: Backend[], moves: () => string[]): string {
  const known = backends.find((one) => one.server === server);
  if (known === undefined)
    return `${server} is not among its servers (${backends.map((one) => one.server).join(', ')}): it would have to be added first.`;
  if (known.serves && backends.every((one) => one === known || !one.serves))
    return `${server} serves already: no change would be needed.`;
  return `To let ${server} serve: ${moves().join('; ')}.`;
}

function list(backends: Backend[]): string {
  if (backends.length === 0) return 'no server';
  return backends.map((one) => `${one.server} (${one.address}, ${one.state}, ${one.sessions} sessions)`).join(' and ');
}

function others(backends: Backend[]): string {
  const idle = backends.filter((one) => !one.serves);
  return idle.length === 0 ? '' : `; ${idle.map((one) => `${one.server} is ${one.state}`).join(', ')}`;
}
