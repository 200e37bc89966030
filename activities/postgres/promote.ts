import { readFile } from 'node:fs/promises';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { Found, Patience, Scratch } from '../shapes.ts';
import { sayOutage } from './restore-command.ts';
import { type Places, permittedPlaces } from './scratch.ts';
import { findServer } from './server.ts';
import { wasKilled, whyEnded } from './server-log.ts';
import { one, placeOfScratch, type Row, withSession } from './session.ts';
import { standing } from './standing.ts';
import { openTablespaces } from './tablespaces.ts';

/** The end of recovery fetches the last segment again and asks for the next history file; the archive may be slow. */
const promoteWithinMs = 600_000;

const question = `
  select pg_is_in_recovery()::text as in_recovery,
    case when pg_is_in_recovery() then current_setting('recovery_target_timeline')
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int::text end as timeline`;

/**
 * Ends recovery on a server that is thrown away afterwards, so that proofs which write can run.
 *
 * Safe to repeat: a server that is promoted already is left alone.
 * @throws ReplayFailed the server ended, or stays in recovery @throws BesideLost it was killed in that very moment
 */
export async function promoteScratch(ask: { scratch: Scratch } & Patience): Promise<Found & { timeline: number }> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  await standing(places, permit);
  const before = await look(places);
  const from = await timelineBefore(places);
  if (before.in_recovery === 'true')
    await withSession(placeOfScratch(places), 'postgres', 'promote', (client) =>
      client.query('select pg_promote(false)'),
    );
  const after = await waitForPromotion(places, new Outage('ArchiveUnreachable', ask));
  await openTablespaces(places);
  const timeline = Number(after.timeline);
  if (!(timeline > from))
    throw failure(
      'BesideLost',
      `the promoted server is on timeline ${timeline}, expected one after ${from}: it was killed after it had given up its recovery and before it had begun its own history. It is of no use any more.`,
    );
  return {
    timeline,
    found: `promoted to timeline ${timeline}, from timeline ${from}; it archives nothing`,
    expected: `a new timeline after ${from}`,
  };
}

async function waitForPromotion(places: Places, outage: Outage): Promise<Row> {
  let deadline = performance.now() + promoteWithinMs;
  for (;;) {
    if ((await findServer(places)) === undefined) throw await whyGone(places);
    const state = await look(places);
    if (state.in_recovery === 'false') return state;
    // The restore_command ends the wait for an archive that is away; this limit is for what has no reason.
    if (await sayOutage(places, outage)) deadline = performance.now() + promoteWithinMs;
    if (performance.now() > deadline)
      throw failure(
        'ReplayFailed',
        `the server is still in recovery ${promoteWithinMs / 60_000} min after it was told to end it. See ${places.serverLog}.`,
      );
    await pause(100, { promoting: places.directory });
  }
}

/** A killed one is started again by the next attempt. */
async function whyGone(places: Places): Promise<Error> {
  const from = await logFrom(places);
  return (await wasKilled(places, from))
    ? failure(
        'DatabaseUnreachable',
        `the server in ${places.data} was killed in its promotion. See ${places.serverLog}.`,
      )
    : whyEnded(places, from);
}

function look(places: Places): Promise<Row> {
  return withSession(placeOfScratch(places), 'postgres', 'promote', (client) => one(client, question));
}

async function timelineBefore(places: Places): Promise<number> {
  return (JSON.parse(await readFile(places.target, 'utf8')) as { target: { timeline: number } }).target.timeline;
}

async function logFrom(places: Places): Promise<number> {
  return (JSON.parse(await readFile(places.target, 'utf8')) as { logFrom: number }).logFrom;
}
