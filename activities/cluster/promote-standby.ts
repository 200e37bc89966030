import type { Client } from 'pg';
import type { Member } from '../../plan/schema.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import type { StoppedAt } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { permitServerControl } from '../permit-control.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { standingQuestion } from './asked.ts';

/** Writes are stopped meanwhile. Milliseconds. */
const lookEveryMs = 10;

/**
 * A standby has replayed past a position: past the shutdown checkpoint of its primary, it holds all that was ever acknowledged.
 *
 * @throws StandbyUnfit not within the time @throws NotPrimary it is no standby @throws DatabaseUnreachable
 */
export async function caughtUp(ask: {
  member: Member;
  lsn: string;
  withinMs: number;
  orAfter?: number;
}): Promise<Found & { lsn: string }> {
  const { member, lsn, withinMs, orAfter } = ask;
  const { place } = await socketOf(member);
  const began = performance.now();
  return withSession(place, 'postgres', 'caught-up', async (client) => {
    for (;;) {
      const row = await one(client, standingQuestion);
      const replayed = row.lsn ?? '0/0';
      if (row.standby !== 'true') {
        if (orAfter !== undefined && Number(row.timeline) > orAfter)
          return { lsn: replayed, found: `${member.host} is the primary already, on timeline ${row.timeline}` };
        throw failure('NotPrimary', `${member.host} is a primary already, expected a standby. Start again.`);
      }
      if (compareLsn(replayed, lsn) > 0)
        return {
          lsn: replayed,
          found: `${member.host} has replayed up to ${replayed}, past ${lsn}, after ${Math.round(performance.now() - began)} ms`,
          expected: `a standby that holds all up to ${lsn}`,
        };
      if (performance.now() - began > withinMs)
        throw failure(
          'StandbyUnfit',
          `${member.host} has replayed up to ${replayed} only, expected past ${lsn} within ${withinMs / 1000} s. What lies between would be lost. See its log, and whether its replay waits for a query.`,
        );
      await pause(lookEveryMs);
    }
  });
}

/**
 * Makes the standby the primary, on a new timeline.
 *
 * Safe to repeat: one that is the primary on a later timeline is left alone.
 * @throws StandbyUnfit it lacks what the old primary wrote last: nothing is promoted
 * @throws SplitBrain it was promoted before and writes on the old primary's own timeline
 * @see PostgreSQL documentation, "Failover" (warm standby)
 */
export async function promoteStandby(ask: {
  member: Member;
  from: StoppedAt;
  withinMs: number;
  atLeast?: true;
}): Promise<Found & { timeline: number; lsn: string }> {
  const { member, from } = ask;
  await permitServerControl(member);
  const { place } = await socketOf(member);
  const began = performance.now();
  return withSession(place, 'postgres', 'promote', async (client) => {
    const before = await one(client, standingQuestion);
    refuseStranger(member, before, from);
    if (before.standby === 'true') {
      refuseShort(ask, before);
      await client.query('select pg_promote(false)');
    }
    const after = before.standby === 'true' ? await promoted(client, ask, began) : before;
    const timeline = Number(after.timeline);
    if (timeline <= from.timeline)
      throw failure(
        'SplitBrain',
        `${member.host} writes on timeline ${timeline}, on which ${from.timeline === timeline ? 'the old primary wrote too' : 'it cannot be'}; expected a later one. Leave the front door closed, and compare both servers.`,
      );
    return {
      timeline,
      lsn: after.lsn ?? '0/0',
      found: `${member.host} is the primary on timeline ${timeline}, ${Math.round(performance.now() - began)} ms after it was told`,
      expected: `a primary on a timeline after ${from.timeline}`,
    };
  });
}

function refuseStranger({ host }: Member, row: Row, { systemIdentifier }: StoppedAt): void {
  if (row.system_identifier !== systemIdentifier)
    throw failure('Moved', `the server on ${host} is of another cluster (${row.system_identifier}) by now.`);
}

function refuseShort(
  { member, from, atLeast }: { member: Member; from: StoppedAt; atLeast?: true },
  { lsn }: Row,
): void {
  const ahead = lsn == null ? -1 : compareLsn(lsn, from.lsn);
  if (ahead > 0 || (ahead === 0 && atLeast)) return;
  const expected = atLeast
    ? `${from.lsn}, which it had replayed before`
    : `past ${from.lsn}, where the old primary ended`;
  throw failure(
    'StandbyUnfit',
    `${member.host} has replayed up to ${lsn ?? 'nowhere'}, expected ${expected}: it was not promoted, or acknowledged writes would be lost.`,
  );
}

async function promoted(
  client: Client,
  { member, withinMs }: { member: Member; withinMs: number },
  began: number,
): Promise<Row> {
  for (;;) {
    const row = await one(client, standingQuestion);
    if (row.standby !== 'true') return row;
    if (performance.now() - began > withinMs)
      throw failure(
        'DatabaseUnreachable',
        `${member.host} is still in recovery ${withinMs / 1000} s after it was told to become the primary. See its log.`,
      );
    await pause(lookEveryMs);
  }
}
