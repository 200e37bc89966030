import { join } from 'node:path';
import type { TableFingerprint } from '../../recovery/archive.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { permitServerControl } from '../permit-control.ts';
import { runsAlone, startAlone, stopAlone, stopBySignal } from '../postgres/alone.ts';
import { beginSnapshot, describeTables, fingerprintTables } from '../postgres/fingerprint.ts';
import { socketOf } from '../postgres/live-member.ts';
import { findLive, readyWithin } from '../postgres/live-server.ts';
import { wordsOfLastStart } from '../postgres/server-control.ts';
import { one, type SocketPlace, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { refusePrimary, standingOf } from './asked.ts';
import { makeFollower } from './follower.ts';

type Ask = Following & { lsn: string; database: string; tables: string[]; withinMs: number };

/**
 * The content of the old primary at one position of the new one's history: it replays up to there and stands still, is read, and stops.
 * Nobody but this user reaches it meanwhile: a hand that resumes a replay which stands at its target makes a primary of it.
 *
 * Safe to repeat: what an earlier attempt has left running is stopped first.
 * @throws SplitBrain it runs as a primary @throws StandbyUnfit it does not reach the position in time
 */
export async function fingerprintsAt(ask: Ask): Promise<Found & { tables: TableFingerprint[] }> {
  const { member, withinMs } = ask;
  const controlled = await permitServerControl(member);
  await refuseRunning(ask);
  await makeFollower(ask);
  const usual = await wordsOfLastStart(member);
  try {
    const log = join(member.dataDirectory, 'pg_ctl.log');
    await startAlone(controlled.permit, { member, usual, settings: settingsOf(ask), log });
    await readyWithin(member, withinMs);
    const { place } = await socketOf(member);
    await standsAt(ask, place);
    const tables = await read(ask, place);
    return { tables, found: `${member.host} at ${ask.lsn}: ${describeTables(tables)}` };
  } finally {
    await stopAlone(controlled.permit, member, usual);
  }
}

/** One that an earlier attempt has started is stopped. */
async function refuseRunning(ask: Ask): Promise<void> {
  const { member, primary } = ask;
  if ((await findLive(member.dataDirectory)) === undefined) return;
  if (!(await runsAlone(member))) {
    refusePrimary(member.host, await standingOf(member), `beside ${primary.host}`);
    throw failure(
      'Moved',
      `the server on ${member.host} runs already, as a standby, and not by Lifeboat: it is not stopped again to be compared. Compare it by hand, or leave this out.`,
    );
  }
  await stopBySignal(member.dataDirectory);
}

function settingsOf({ lsn, timeline }: Ask): Record<string, string> {
  return {
    // The anchor's position is that after its record: the end of the last record that it holds.
    recovery_target_lsn: lsn,
    recovery_target_inclusive: 'off',
    recovery_target_action: 'pause',
    recovery_target_timeline: String(timeline),
    // Whatever becomes of it: nothing of it may reach the archive.
    archive_command: '/bin/false',
  };
}

async function standsAt({ member, lsn, withinMs }: Ask, place: SocketPlace): Promise<void> {
  const deadline = performance.now() + withinMs;
  await withSession(place, 'postgres', 'stands-at', async (client) => {
    for (;;) {
      const { state, replayed } = await one(
        client,
        `select case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else 'promoted' end as state,
           pg_last_wal_replay_lsn()::text as replayed`,
      );
      if (state === 'paused') return;
      if (state === 'promoted' || performance.now() > deadline)
        throw failure(
          'StandbyUnfit',
          `${member.host} has replayed up to ${replayed ?? 'nowhere'} and is ${state ?? 'unknown'}, expected it to stand at ${lsn} within ${withinMs / 1000} s. See pg_ctl.log in its data directory.`,
        );
      await pause(50, { replaying: replayed, target: lsn });
    }
  });
}

function read({ database, tables }: Ask, place: SocketPlace): Promise<TableFingerprint[]> {
  const progress = { table: '' };
  return withSession(
    place,
    database,
    'fingerprints',
    async (client) => {
      await beginSnapshot(client);
      const found = await fingerprintTables(client, tables, progress);
      await client.query('commit');
      return found;
    },
    () => ({ reading: progress.table }),
  );
}
