import type { Client } from 'pg';
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { all, type Row, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

interface SlotAsk {
  member: Member;
  slot: string;
}

/**
 * A physical slot that keeps WAL from now on. Made on the standby, before its promotion: the checkpoint that ends it would otherwise
 * remove what the old primary asks for first.
 *
 * Safe to repeat. One of that name that nobody uses is left from an earlier time, and made anew: it may have lost its WAL.
 * @throws Moved somebody uses a slot of that name, or it is a logical one
 */
export async function makeSlot({ member, slot }: SlotAsk): Promise<Found> {
  const { place } = await socketOf(member);
  return withSession(place, 'postgres', 'make-slot', async (client) => {
    const known = await find(client, slot);
    if (known !== undefined) {
      refuseUsed(known, { member, slot });
      await client.query('select pg_drop_replication_slot($1)', [slot]);
    }
    const [made] = await all(client, 'select lsn::text as lsn from pg_create_physical_replication_slot($1, true)', [
      slot,
    ]);
    return {
      found: `slot ${slot} on ${member.host} keeps WAL from ${made?.lsn ?? 'now'} on`,
      expected: 'a slot that nobody else uses',
    };
  });
}

/** Safe to repeat. @throws Moved somebody uses it */
export async function dropSlot({ member, slot }: SlotAsk): Promise<Found> {
  const { place } = await socketOf(member);
  return withSession(place, 'postgres', 'drop-slot', async (client) => {
    const known = await find(client, slot);
    if (known === undefined) return { found: `${member.host} has no slot ${slot}` };
    refuseUsed(known, { member, slot });
    await client.query('select pg_drop_replication_slot($1)', [slot]);
    return { found: `slot ${slot} on ${member.host} is gone: it would have kept WAL for ever` };
  });
}

async function find(client: Client, slot: string): Promise<Row | undefined> {
  const [known] = await all(
    client,
    'select slot_type as kind, active::text as active, active_pid::text as pid from pg_replication_slots where slot_name = $1',
    [slot],
  );
  return known;
}

function refuseUsed({ kind, active, pid }: Row, { member, slot }: SlotAsk): void {
  if (kind === 'physical' && active === 'false') return;
  const why = kind === 'physical' ? `is used by process ${pid ?? 'unknown'}` : 'is a logical one';
  throw failure(
    'Moved',
    `the slot ${slot} on ${member.host} ${why}, expected none of that name, or one that nobody uses. See select * from pg_replication_slots on ${member.host}, and end or drop it there.`,
  );
}
