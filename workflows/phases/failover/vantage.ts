/** Whether the primary is lost, or only seems so from here: asked from several places, none of which depends on another. */
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { reachedFrom } from '../../../plan/sites.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { FailoverRun } from './lost.ts';

/** Milliseconds: a primary that is restarted, or a network that stumbles, is back within it. */
const looksForMs = 5_000;
/** Milliseconds: a host worker that lives takes an activity at once. */
const ownWithinMs = 10_000;
/** The same while nobody can write. */
const soonMs = 3_000;

export interface Seen {
  /** What the host's own worker says of its server, when there is one. */
  own: 'primary' | 'standby' | 'stopped' | 'unknown' | 'silent';
  words: string;
  /** It has a standby.signal. */
  standbyOnly?: boolean;
}

interface Around {
  from: Member;
  standbys: Member[];
  silent: Member[];
}

/** @throws ServerAlive somebody sees it @throws NotFenced another member may be the primary */
export async function nobodySees(run: FailoverRun, { from, standbys, silent }: Around): Promise<Found & Seen> {
  for (const other of silent) await refusePossiblePrimary(run, other);
  const views = await Promise.all(
    standbys.map((standby) =>
      run.host(standby.host, 2).primarySeenFrom({
        ...{ member: standby, primary: reachedFrom(run.plan, from, standby.host) },
        withinMs: looksForMs,
      }),
    ),
  );
  const { members, found: asControlSees } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const words = [`from the control worker: ${asControlSees}`, ...views.map(({ found }) => found)];
  const alive =
    members.some(({ host, role }) => host === from.host && role !== 'unknown') ||
    views.some(({ answers, receives }) => answers || receives);
  if (alive)
    throw failure(
      'ServerAlive',
      `${from.host} is seen by one vantage point at least: ${words.join('; ')}. Who cannot reach it may have lost the network, not the primary; to promote another would make two. Mend the network, or stop ${from.host} for good first.`,
    );
  const { own, words: ownWords } = await asItsOwnHostSees(run, from);
  return {
    own,
    words: ownWords,
    found: [...words, ownWords].join('; '),
    expected: 'no vantage point to which it answers',
  };
}

/**
 * Its own host may see a server that nobody else reaches: such a one is no reason to wait, but one more to fence it. One that is not
 * running at all could be started again, and would lose nothing.
 */
export async function asItsOwnHostSees(run: FailoverRun, from: Member, withinMs = ownWithinMs): Promise<Seen> {
  try {
    const { role, standbyOnly } = await run.hostIfThere(from.host, withinMs).howItStands({ member: from });
    const told = {
      primary: `${from.host} itself runs its server as a primary, which nobody else reaches`,
      standby: `${from.host} itself runs its server as a standby`,
      stopped: `on ${from.host} no server runs: to start it again there would lose nothing, if its disk is sound`,
      unknown: `on ${from.host} a server runs, and lets nobody in`,
    }[role];
    return { own: role, words: told, standbyOnly };
  } catch (error) {
    const { type, message } = failureOf(error);
    return type === 'HostSilent'
      ? { own: 'silent', words: `no host worker answers on ${from.host}` }
      : { own: 'unknown', words: `${from.host} could not be asked how its server stands: ${message}` };
  }
}

/** Who does not answer may be the primary, whatever somebody has typed: its own host has to say that it is none. */
async function refusePossiblePrimary(run: FailoverRun, other: Member): Promise<void> {
  const { own, standbyOnly, words } = await asItsOwnHostSees(run, other);
  if (own === 'standby' || (own === 'stopped' && standbyOnly)) return;
  throw failure(
    'NotFenced',
    `${other.host} does not answer either, and may be the primary, or hold more than all others (${words}). Bring its host worker back, or take it out of database.members, then start again.`,
  );
}

/**
 * Just before a promotion: between the fence and now people may have taken hours.
 *
 * @throws NotFenced the old primary is back
 */
export async function isNotBack(run: FailoverRun, from: Member): Promise<void> {
  const { members, found } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const seen = members.find(({ host }) => host === from.host);
  const { own, words } = await asItsOwnHostSees(run, from, soonMs);
  if (seen?.role !== 'primary' && own !== 'primary') return;
  throw failure('NotFenced', `${from.host} is back as a primary (${found}; ${words}): nothing is promoted beside it.`);
}
