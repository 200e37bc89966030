/** Patroni is asked to change the primary, and watched until one leads. Nothing is done to a server behind its back. */
import { clusterInWords, type PatroniCluster, whyNobodyLeads } from '../../../recovery/patroni.ts';
import type {
  PatroniAsk,
  PatroniControlChanges,
  PatroniControlReads,
  PatroniLeads,
} from '../../contract-of-patroni.ts';
import { failure } from '../../failure.ts';
import { pause } from '../../heartbeat.ts';
import type { Found } from '../../shapes.ts';
import { askPatroni, type RestAnswer } from './rest.ts';
import { patroniState } from './state.ts';

/** Milliseconds. It answers once it has seen the change itself, or given up waiting for it. */
const answersWithinMs = 30_000;
const betweenMs = 200;
/** A request in the store is taken up, or thrown away, within one loop of Patroni's: longer than any loop_wait that is used. */
const refusedAfterMs = 15_000;

/**
 * Probe: whoever leads already on a later timeline was made so by an attempt of which only the end was not seen.
 *
 * @throws PatroniRefused @throws PatroniUnsettled @throws PatroniUnreachable @throws Moved another leads
 */
export async function patroniSwitchover(
  ask: Parameters<PatroniControlChanges['patroniSwitchover']>[0],
): Promise<PatroniLeads> {
  const { from, to, timeline } = ask;
  const before = await patroniState(ask);
  const done = leads(before, timeline);
  if (done !== undefined) return { ...done, found: `${done.leader} leads already; ${before.found}` };
  if (before.leader !== undefined && before.leader !== from)
    throw failure('Moved', `the lock is with ${before.leader} (${before.found}), expected ${from}. Start again.`);
  const said = await order(ask, from, '/switchover', { leader: from, candidate: to });
  return watch(ask, { said, unchanged: from, asked: `to switch over from ${from} to ${to}` });
}

/** @throws PatroniRefused @throws PatroniUnsettled @throws PatroniUnreachable */
export async function patroniFailover(
  ask: Parameters<PatroniControlChanges['patroniFailover']>[0],
): Promise<PatroniLeads> {
  const { to, timeline } = ask;
  const before = await patroniState(ask);
  const done = leads(before, timeline);
  if (done !== undefined) return { ...done, found: `${done.leader} leads already; ${before.found}` };
  const said = await order(ask, to, '/failover', { candidate: to });
  return watch(ask, { said, unchanged: undefined, asked: `to fail over to ${to}` });
}

/** Whoever holds the lock, says that it is the primary, and writes on a later timeline than this one. */
function leads(cluster: PatroniCluster, timeline: number): { leader: string; timeline: number } | undefined {
  const { members, leader } = cluster;
  const found = members.find(({ host }) => host === leader);
  const now = found?.server.timeline;
  return leader !== undefined && found?.server.role === 'primary' && now !== undefined && now > timeline
    ? { leader, timeline: now }
    : undefined;
}

/** What was not answered may have been done: the watch tells. */
async function order(ask: PatroniAsk, host: string, path: string, body: object): Promise<RestAnswer> {
  try {
    return await askPatroni(ask, host, { path, order: body, withinMs: answersWithinMs });
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}

interface Asked {
  said: RestAnswer;
  /** Who leads as before when it is refused. */
  unchanged: string | undefined;
  asked: string;
}

async function watch(
  ask: PatroniAsk & { timeline: number; withinMs: number },
  { said, unchanged, asked }: Asked,
): Promise<PatroniLeads> {
  const { timeline, withinMs } = ask;
  if (said.status === 401 || said.status === 403)
    throw failure(
      'PatroniRefused',
      `Patroni does not take orders from here (${said.status}: ${shown(said)}), so nothing was changed. Correct user and password in database.rest, or restapi.allowlist of Patroni.`,
    );
  const began = performance.now();
  for (;;) {
    const now = await patroniState(ask);
    const done = leads(now, timeline);
    if (done !== undefined)
      return { ...done, found: `Patroni was asked ${asked}, and said "${shown(said)}"; ${now.found}` };
    const spent = performance.now() - began;
    // Below 500 it has not taken the request; what it has taken, and then dropped, leaves all as it was.
    const refused = said.status >= 400 && (said.status < 500 || spent > refusedAfterMs);
    if (refused && asBefore(now, unchanged, timeline))
      throw failure(
        'PatroniRefused',
        `Patroni was asked ${asked}, and did not (${said.status}: ${shown(said)}); all is as before: ${now.found}. Mend what it names, see its log, then start again.`,
      );
    if (spent > withinMs)
      throw failure(
        'PatroniUnsettled',
        `Patroni was asked ${asked}, said "${shown(said)}", and nobody leads on a timeline past ${timeline} after ${Math.round(withinMs / 1000)} s: ${now.found}. ${whyNobodyLeads(now).join('; ')}. See Patroni's log; do not promote by hand beside it.`,
      );
    await pause(betweenMs);
  }
}

/** Patroni's words are short; what answers in its place need not be. */
function shown({ status, text }: RestAnswer): string {
  return text.trim().slice(0, 200) || `status ${status}`;
}

function asBefore({ leader, members }: PatroniCluster, unchanged: string | undefined, timeline: number): boolean {
  if (unchanged === undefined) return leader === undefined;
  const found = members.find(({ host }) => host === unchanged);
  return leader === unchanged && found?.server.role === 'primary' && found.server.timeline === timeline;
}

/** @throws PatroniUnsettled */
export async function patroniSettled(ask: Parameters<PatroniControlReads['patroniSettled']>[0]): Promise<Found> {
  const { leader, timeline, without, withinMs } = ask;
  const deadline = performance.now() + withinMs;
  for (;;) {
    const now = await patroniState(ask);
    const open = notSettled(now, { leader, timeline, without });
    if (open.length === 0)
      return {
        found: clusterInWords(now),
        expected: `${leader} leads on timeline ${timeline}, and every member follows it`,
      };
    if (performance.now() > deadline)
      throw failure(
        'PatroniUnsettled',
        `${open.join('; ')}, after ${Math.round(withinMs / 1000)} s (${now.found}). See Patroni's log on these hosts; a member that stays behind is built anew by "patronictl reinit".`,
      );
    await pause(betweenMs);
  }
}

function notSettled(
  { members, leader, contradictions }: PatroniCluster,
  wanted: { leader: string; timeline: number; without: string[] },
): string[] {
  const first = members.find(({ host }) => host === wanted.leader);
  const others = members.filter(({ host }) => host !== wanted.leader && !wanted.without.includes(host));
  return [
    ...(leader === wanted.leader ? [] : [`the lock is with ${leader ?? 'nobody'}, expected ${wanted.leader}`]),
    ...(first?.server.role === 'primary' && first.server.timeline === wanted.timeline
      ? []
      : [`${wanted.leader} does not write on timeline ${wanted.timeline}`]),
    ...contradictions,
    ...others.flatMap(({ host, own, server }) => {
      if (server.role !== 'standby') return [`${host} is ${server.role}, expected a standby`];
      // Only the servers' own users, and Patroni, see the timeline that a standby receives.
      if (own?.timeline !== wanted.timeline) return [`${host} follows timeline ${own?.timeline ?? 'unknown'}`];
      return first?.own?.streams.includes(host) ? [] : [`${host} does not stream from ${wanted.leader}`];
    }),
  ];
}
