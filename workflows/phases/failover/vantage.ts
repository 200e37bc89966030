/** Whether the primary is lost, or only seems so from here: asked from several places, none of which depends on another. */
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { type FailoverRun, reachedAt } from './lost.ts';

/** Milliseconds: a primary that is restarted, or a network that stumbles, is back within it. */
const looksForMs = 5_000;
/** Milliseconds: a host worker that lives takes an activity at once. */
const ownWithinMs = 10_000;

export interface Seen {
  /** What the host's own worker says of its server, when there is one. */
  own: 'primary' | 'standby' | 'stopped' | 'unknown' | 'silent';
  words: string;
}

/** @throws ServerAlive somebody sees it */
export async function nobodySees(
  run: FailoverRun,
  { from, standbys }: { from: Member; standbys: Member[] },
): Promise<Found & Seen> {
  const primary = reachedAt(run, from);
  const views = await Promise.all(
    standbys.map((standby) =>
      run.host(standby.host, 2).primarySeenFrom({ member: standby, primary, withinMs: looksForMs }),
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
export async function asItsOwnHostSees(run: FailoverRun, from: Member): Promise<Seen> {
  try {
    const { role, found } = await run.hostIfThere(from.host, ownWithinMs).howItStands({ member: from });
    const told = {
      primary: `${from.host} itself runs its server as a primary, which nobody else reaches`,
      standby: `${from.host} itself runs its server as a standby`,
      stopped: `on ${from.host} no server runs: to start it again there would lose nothing, if its disk is sound`,
      unknown: `on ${from.host} a server runs, and lets nobody in`,
    }[role];
    return { own: role, words: told ?? found };
  } catch (error) {
    const { type, message } = failureOf(error);
    return type === 'HostSilent'
      ? { own: 'silent', words: `no host worker answers on ${from.host}` }
      : { own: 'unknown', words: `${from.host} could not be asked how its server stands: ${message}` };
  }
}
