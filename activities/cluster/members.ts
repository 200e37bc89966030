import type { Database } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import type { Found, MemberState } from '../shapes.ts';
import { patroni } from './patroni.ts';
import { standalone } from './standalone.ts';

/**
 * Role, timeline, position and lag (milliseconds) of every member.
 *
 * @param ask.addresses host name -> where it answers, when the name does not resolve
 * @throws SplitBrain two members say that they are the primary
 */
export async function members(ask: {
  database: Database;
  addresses: Record<string, string>;
}): Promise<Found & { members: MemberState[] }> {
  const states = await statesOf(ask.database, ask.addresses);
  const primaries = states.filter((one) => one.role === 'primary');
  if (primaries.length > 1)
    throw failure(
      'SplitBrain',
      `${primaries.map(say).join(' and ')} both say that they are the primary; expected one. Stop all writes, fence one of them, and only then go on: each may hold writes that the other lacks.`,
    );
  return { members: states, found: states.map(say).join('; '), expected: 'one primary, every other member a standby' };
}

function say(state: MemberState): string {
  if (state.role === 'unknown') return `${state.host} unknown (${state.why ?? 'no answer'})`;
  const lag = state.lagMs === undefined ? '' : `, ${state.lagMs} ms behind`;
  return `${state.host} ${state.role} on timeline ${state.timeline ?? 'unknown'} at ${state.lsn ?? 'unknown'}${lag}${state.why === undefined ? '' : ` (${state.why})`}`;
}

/** What each says of itself; no verdict. */
export function statesOf(database: Database, addresses: Record<string, string>): Promise<MemberState[]> {
  return database.kind === 'patroni' ? patroni.members(database, addresses) : standalone.members(database, addresses);
}
