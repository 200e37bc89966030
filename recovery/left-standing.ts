/** What a change of primary that ended in its middle leaves, and by which commands people go on or back. Pure. */
import { slotNameFor } from './switchover.ts';

export interface Stands {
  host: string;
  /** `unknown`: it may be a primary that only we cannot reach. */
  role: 'primary' | 'standby' | 'stopped' | 'unknown';
  /** It has a standby.signal: whoever starts it, starts a standby. */
  standbyOnly?: boolean;
  dataDirectory: string;
  /** The command that starts it. */
  start: string;
}

export interface Standing {
  members: Stands[];
  /** Whom the load balancer gives sessions; undefined: it did not answer. */
  leadsTo: string[] | undefined;
  traffic: { backend: string; socket: string };
}

/** `echo "set server postgres/db1 state ready" | socat stdio /run/haproxy.sock` */
export function openByHand({ backend, socket }: Standing['traffic'], host = 'HOST'): string {
  const place = socket.startsWith('/') ? socket : `tcp:${socket}`;
  return `echo "set server ${backend}/${host} state ready" | socat stdio ${place}`;
}

/** `db1 is stopped (standby.signal), db2 primary; the front door leads to nobody` */
export function standingInWords({ members, leadsTo }: Standing): string {
  const each = members.map(({ host, role, standbyOnly }) => `${host} ${role}${standbyOnly ? ' (standby.signal)' : ''}`);
  const door =
    leadsTo === undefined ? 'does not say whom it leads to' : `leads to ${leadsTo.join(' and ') || 'nobody'}`;
  return `${each.join(', ')}; the front door ${door}`;
}

/** What to do by hand, in this order; empty where one primary serves and every other member is its standby. */
export function whatToDo(standing: Standing): string[] {
  const of = (role: Stands['role']) => standing.members.filter((one) => one.role === role);
  const [primary, second] = of('primary');
  if (primary !== undefined && second !== undefined)
    return [`Stop ${primary.host} or ${second.host} at once, and compare what each has written before anything else.`];
  const unknown = of('unknown').map(({ host }) => host);
  const sure =
    unknown.length === 0
      ? []
      : [`Find out how ${unknown.join(' and ')} stands first: who does not answer may be a primary.`];
  if (primary !== undefined) return [...sure, ...toPrimary(standing, primary), ...followers(standing, primary)];
  // Who does not answer may have been promoted.
  return unknown.length > 0 ? sure : back(standing);
}

function toPrimary({ leadsTo, traffic }: Standing, { host }: Stands): string[] {
  if (leadsTo?.length === 1 && leadsTo[0] === host) return [];
  return [`Open the front door to ${host}, the only primary: ${openByHand(traffic, host)}`];
}

function followers({ members }: Standing, primary: Stands): string[] {
  return members
    .filter(({ role }) => role === 'stopped')
    .map(({ host, standbyOnly, dataDirectory, start }) =>
      standbyOnly
        ? `Let ${host} follow ${primary.host}: primary_conninfo and primary_slot_name = '${slotNameFor(host)}' in ${dataDirectory}/postgresql.auto.conf, if they do not name ${primary.host} yet, then ${start}`
        : `${host} has no standby.signal: started, it would be a second primary beside ${primary.host}. Rebuild it as a standby.`,
    );
}

/** Nobody is the primary: back to the one that was stopped, for nobody was promoted. */
function back({ members, traffic }: Standing): string[] {
  const stopped = members.filter(({ role }) => role === 'stopped');
  const old = stopped.length === 1 ? stopped[0] : stopped.find(({ standbyOnly }) => !standbyOnly);
  if (old === undefined) return ['No member is the primary: find out which one was it last, and start it.'];
  return [
    `Nobody was promoted, so go back to ${old.host}: ${old.standbyOnly ? `rm ${old.dataDirectory}/standby.signal, then ` : ''}${old.start}`,
    `Open the front door to it: ${openByHand(traffic, old.host)}`,
  ];
}
