/** A new leader is proven: followed by all, of one history; and its timeline archived. */
import type { PatroniLeads } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { member } from '../../../plan/hosts.ts';
import type { PatroniDatabase } from '../../../plan/schema.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { askOf, factsOfAll } from './cluster.ts';

type Led = Pick<PatroniLeads, 'leader' | 'timeline'>;

/** @param without members that are known not to answer: they follow once they are back */
export async function proveFollowed(run: Run, database: PatroniDatabase, led: Led, without: string[]): Promise<void> {
  const { leader, timeline } = led;
  await run.prove('Every member follows the new primary', () =>
    run.control.patroniSettled({ ...askOf(run, database), leader, timeline, without, withinMs: database.leaderWithin }),
  );
  await run.prove('The servers themselves say so', () => serversSaySo(run, database, led, without));
}

export async function proveArchived(run: Run, { leader, timeline }: Led): Promise<void> {
  await run.prove('The archive holds the new timeline', () =>
    run.host(leader).archiveReaches({
      ...{ member: member(run.plan, leader), backups: run.plan.backups.physical, timeline },
      outageWithinMs: run.patienceMs(),
    }),
  );
}

async function serversSaySo(
  run: Run,
  database: PatroniDatabase,
  { leader, timeline }: Led,
  without: string[],
): Promise<Found> {
  const facts = await factsOfAll(
    run,
    database.members.filter(({ host }) => !without.includes(host)),
  );
  const first = facts.find(({ host }) => host === leader);
  const primaries = facts.filter(({ role }) => role === 'primary').map(({ host }) => host);
  if (primaries.length > 1)
    throw failure(
      'SplitBrain',
      `${primaries.join(' and ')} both say that they are the primary, though Patroni gives its lock to ${leader} alone. Stop the other one with Patroni (patronictl), and compare what each has written.`,
    );
  const astray = facts.filter(
    ({ host, role, timeline: on, history, receiver }) =>
      on !== timeline ||
      (host !== leader && (role !== 'standby' || receiver?.state !== 'streaming')) ||
      // The same number may stand for another fork.
      (history !== undefined && first?.history !== undefined && history !== first.history),
  );
  const found = facts.map((one) => `${one.host}: ${one.found}`).join('; ');
  if (first?.role !== 'primary' || astray.length > 0)
    throw failure(
      'Diverged',
      `${found}; expected ${leader} as the primary on timeline ${timeline} and the others streaming on it, all of one history. ${astray.map(({ host }) => host).join(' and ')} must be built anew (patronictl reinit), once it is known what ${astray.length === 1 ? 'it holds' : 'they hold'} that ${leader} lacks.`,
    );
  return { found, expected: `all on timeline ${timeline}, of one history, streaming from ${leader}` };
}
