import type { Member } from '../../plan/schema.ts';
import { makeSlot } from '../cluster/slots.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { all, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

/**
 * The slot from which a standby is to stream. One that has lost nothing is left as it is: to make it anew would give up what it keeps.
 *
 * Safe to repeat. @throws Moved it is a logical one, or somebody uses one that has lost its WAL
 */
export async function keepSlot(ask: { member: Member; slot: string }): Promise<Found & { made: boolean }> {
  const { member, slot } = ask;
  const { place } = await socketOf(member);
  const [known] = await withSession(place, 'postgres', 'keep-slot', (client) =>
    all(
      client,
      `select slot_type as kind, coalesce(wal_status, 'lost') as status, restart_lsn::text as lsn
         from pg_replication_slots where slot_name = $1`,
      [slot],
    ),
  );
  if (known !== undefined && known.kind !== 'physical')
    throw failure(
      'Moved',
      `the slot ${slot} on ${member.host} is a logical one, expected none of that name. Rename or drop it there.`,
    );
  if (known?.lsn != null && known.status !== 'lost')
    return { made: false, found: `slot ${slot} on ${member.host} keeps WAL from ${known.lsn} on already` };
  return { ...(await makeSlot(ask)), made: true };
}
