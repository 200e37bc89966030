import type { Visitors } from '../../plan/visitors.ts';
import { type SharedServer, shareInWords, shareOf } from '../../recovery/shares.ts';
import type { VisitorsReads, VisitorsState } from '../contract.ts';
import { failure } from '../failure.ts';
import { kindOf } from './kinds.ts';

export const visitorsState: VisitorsReads['visitorsState'] = async ({ visitors }) =>
  stateOf(visitors, await kindOf(visitors).servers());

/** @throws PlanInvalid */
export function stateOf(visitors: Visitors, servers: SharedServer[]): VisitorsState {
  everyServerIsThere(visitors, servers);
  nobodyElseIsLedTo(visitors, servers);
  const share = shareOf(visitors, servers);
  return {
    servers,
    share,
    found: `${shareInWords(share)} of the visitors are led to ${visitors.servers.join(', ')}; ${servers.map(inWords).join('; ')}`,
    expected: 'visitors are led to servers that the plan names',
  };
}

function everyServerIsThere(visitors: Visitors, found: SharedServer[]): void {
  const names = found.map(({ server }) => server);
  const known = visitors.closed === undefined ? visitors.servers : [...visitors.servers, visitors.closed];
  const missing = known.filter((one) => !names.includes(one));
  if (missing.length > 0)
    throw failure(
      'PlanInvalid',
      `backend ${visitors.backend} has no server ${missing.join(', ')}, it has ${names.join(', ') || 'none'}. Correct visitors in the plan, or the load balancer's configuration.`,
    );
  const backup = found.filter((one) => one.backup && known.includes(one.server)).map(({ server }) => server);
  if (backup.length > 0)
    throw failure(
      'PlanInvalid',
      `${backup.join(', ')} ${backup.length === 1 ? 'is' : 'are'} marked "backup" in the load balancer's configuration: no weight leads anybody there while another server is up. Leave "backup" out; a weight of 0 keeps visitors away.`,
    );
}

/** A share would be less than it says. */
function nobodyElseIsLedTo({ servers, closed, backend }: Visitors, found: SharedServer[]): void {
  const others = found.filter(
    (one) => !servers.includes(one.server) && one.server !== closed && !one.backup && !one.takenOut && one.weight > 0,
  );
  if (others.length > 0)
    throw failure(
      'PlanInvalid',
      `visitors of backend ${backend} are led to ${others.map(({ server }) => server).join(', ')} too, which the plan does not name: a share would not be one. Add it to visitors.servers, or give it a weight of 0.`,
    );
}

function inWords({ server, weight, up, takenOut, sessions }: SharedServer): string {
  const state = takenOut ? ', taken out' : up ? '' : ', down';
  return `${server} has weight ${weight}${state}, ${sessions} sessions`;
}
