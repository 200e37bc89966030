/**
 * The old directory comes back after the restored server's timeline has reached the archive. On its own timeline it would be a branch that
 * no restore of the newest timeline finds, and whose standbys die of the history that they find in the archive: it is promoted to a
 * timeline above all others first, where nobody reaches it, and starts as production only then.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import { backupKind } from '../backups/kind.ts';
import { standingOf } from '../cluster/asked.ts';
import { signalOf, writeDurably } from '../cluster/standby-only.ts';
import { failure } from '../failure.ts';
import { beating, pause } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { Permit } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { runsAlone, startAlone, stopAlone, stopBySignal } from '../postgres/alone.ts';
import { type ControlData, controlData } from '../postgres/control-data.ts';
import { socketOf } from '../postgres/live-member.ts';
import { findLive, readyWithin } from '../postgres/live-server.ts';
import { sayOutage, writeRestoreCommand } from '../postgres/restore-command.ts';
import { exists, type Places, placesOf } from '../postgres/scratch.ts';
import { startLive, wordsOfLastStart } from '../postgres/server-control.ts';
import { whyEnded } from '../postgres/server-log.ts';
import { one, withSession } from '../postgres/session.ts';
import { isAlive } from '../processes.ts';
import { quoted } from '../quoted.ts';
import type { Found, Patience } from '../shapes.ts';
import { sizeOf } from '../tail.ts';
import { archivedHistory, keepHistories } from './keep-histories.ts';

interface Ask extends Patience {
  member: Member;
  backups: PhysicalBackups;
  /** The newest timeline that the archive knows. */
  above: number;
  withinMs: number;
}

/**
 * Safe to repeat: one that is on a timeline above already is only started; what an earlier attempt has left half promoted is promoted anew.
 * Where nothing of the newest timeline has reached the archive, the old server starts on its own, as it was.
 *
 * @throws Moved another directory is in the place, or it runs already, on a timeline that is not above @throws ArchiveUnreachable
 * @throws ArchiveUnsound it took a timeline that the archive knows @throws ServerControlFailed
 */
export async function returnOnNewTimeline(ask: Ask): Promise<Found & { timeline: number; lsn: string }> {
  const { member, withinMs, above } = ask;
  const controlled = await permitServerControl(member);
  await backupKind(ask.backups).permitted(controlled.permit, ask.backups);
  const began = performance.now();
  const known = await archiveKnows(ask);
  if (await nobodyElseRuns(ask)) {
    if (known) {
      await promoteAlone(ask, controlled.permit);
      await keepHistories(ask, (await controlData(controlled.permit, member.dataDirectory)).timeline);
    } else await refuseOther(ask, await controlData(controlled.permit, member.dataDirectory));
    await rm(placesOfReturn(member).directory, { recursive: true, force: true });
    await startLive(member, controlled, withinMs);
  }
  await readyWithin(member, withinMs);
  const { standby, timeline, lsn } = await standingOf(member);
  if (standby || (known ? timeline <= above : timeline === above))
    throw notAbove(ask, `${standby ? 'a standby' : 'a primary'} on timeline ${timeline}`);
  return {
    timeline,
    lsn,
    found: `${member.host} is the primary again, on timeline ${timeline} at ${lsn}, ${Math.round(performance.now() - began)} ms after it was told`,
    expected: known
      ? `the old data, on a timeline after ${above}`
      : `the old data, on its own timeline: nothing of timeline ${above} ever reached the archive`,
  };
}

/**
 * A history is archived before all else of its timeline: where the archive proves that it does not hold it, nothing of that server was ever
 * seen, and the old one goes on as if it had not been.
 */
async function archiveKnows(ask: Ask): Promise<boolean> {
  return (await archivedHistory(ask, ask.above)) !== undefined;
}

/** One that an earlier attempt has started, where nobody reaches it, is stopped. */
async function nobodyElseRuns({ member }: Ask): Promise<boolean> {
  if ((await findLive(member.dataDirectory)) === undefined) return true;
  if (!(await runsAlone(member))) return false;
  await stopBySignal(member.dataDirectory);
  return true;
}

function notAbove({ member, above }: Ask, seen: string): Error {
  return failure(
    'Moved',
    `the server in ${member.dataDirectory} on ${member.host} is ${seen}, expected the old one, to come back on a timeline above ${above}. Find out who has started or moved it: on a timeline that the archive knows, its WAL would meet that of another server.`,
  );
}

/** The restored server is the one on that timeline. */
async function refuseOther(ask: Ask, { timeline }: ControlData): Promise<void> {
  if (timeline === ask.above) throw notAbove(ask, `on timeline ${timeline} itself`);
  if (await exists(signalOf(ask.member))) throw notAbove(ask, 'a standby (standby.signal)');
}

/** In the data directory, so that it goes with it; gone when it has ended well. */
function placesOfReturn({ dataDirectory }: Member): Places {
  return { ...placesOf(join(dataDirectory, 'lifeboat-return')), data: dataDirectory };
}

const recoverySignal = ({ dataDirectory }: Member) => join(dataDirectory, 'recovery.signal');

async function promoteAlone(ask: Ask, permit: Permit): Promise<void> {
  const { member, above } = ask;
  const rest = await controlData(permit, member.dataDirectory);
  if (rest.timeline > above && !(await exists(recoverySignal(member)))) return;
  await refuseOther(ask, rest);
  const usual = await wordsOfLastStart(member);
  const places = placesOfReturn(member);
  const outage = new Outage('ArchiveUnreachable', ask);
  await makeRestoreCommand(ask, places, outage);
  await writeDurably(recoverySignal(member), '');
  try {
    const log = await sizeOf(places.serverLog);
    const pid = await startAlone(permit, { member, usual, settings: settingsOf(places), log: places.serverLog });
    await promoted(ask, places, outage, { pid, log });
  } finally {
    await outage.over();
    await stopAlone(permit, member, usual);
  }
  const { state, timeline } = await controlData(permit, member.dataDirectory);
  if (state !== 'shut down')
    throw failure(
      'ServerControlFailed',
      `the server in ${member.dataDirectory} was promoted, and was not shut down in order: its control file says "${state}". It is promoted again by the next attempt.`,
    );
  if (timeline > above) return;
  throw failure(
    'ArchiveUnsound',
    `the old server on ${member.host} took timeline ${timeline}, expected one above ${above}: the archive does not hold the histories in between. It is stopped, and has archived nothing. See lifeboat archive, and put the missing history files back first.`,
  );
}

/** Nothing is fetched ahead: all that it replays is its own, only histories are asked for. */
async function makeRestoreCommand({ backups }: Ask, places: Places, outage: Outage): Promise<void> {
  for (const one of [places.directory, places.log, places.lock, places.spool])
    await mkdir(one, { recursive: true, mode: 0o700 });
  for (const left of [places.reason, places.absent]) await rm(left, { force: true });
  const fetch = await backupKind(backups).fetchInShell(backups, places, outage.silentSeconds);
  await writeRestoreCommand(places, {
    fetch: `${fetch}\nfetch_fast() { return 1; }`,
    outageWithinMs: outage.leftMs,
  });
}

/** For this one start: nothing of it is ever written into the server's own configuration. */
function settingsOf(places: Places): Record<string, string> {
  return {
    ...Object.fromEntries(['', '_lsn', '_name', '_time', '_xid'].map((kind) => [`recovery_target${kind}`, ''])),
    recovery_target_timeline: 'current',
    recovery_target_action: 'promote',
    restore_command: `${quoted(places.restoreCommand).replaceAll('%', '%%')} %f %p`,
    // Kept for the real one, which comes with the start as production: the new history must reach the archive.
    archive_mode: 'on',
    archive_command: '',
    synchronous_standby_names: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] ',
    lc_messages: 'C',
  };
}

async function promoted(
  { member, withinMs }: Ask,
  places: Places,
  outage: Outage,
  start: { pid: number; log: number },
): Promise<void> {
  let deadline = performance.now() + withinMs;
  for (;;) {
    if (!(await isAlive(start.pid))) throw await whyEnded(places, start.log);
    const live = await findLive(member.dataDirectory);
    if (live?.status === 'ready' && !(await inRecovery(member))) return;
    if (await sayOutage(places, outage)) deadline = performance.now() + withinMs;
    if (performance.now() > deadline)
      throw failure(
        'ServerControlFailed',
        `the server in ${member.dataDirectory} on ${member.host} has not ended its recovery within ${withinMs / 1000} s. It is stopped. See pg_wal there for a segment that it lacks.`,
      );
    await pause(50, { promoting: member.host });
  }
}

async function inRecovery(member: Member): Promise<boolean> {
  const { place } = await socketOf(member);
  const { recovering } = await beating(
    () => ({ promoting: member.host }),
    () =>
      withSession(place, 'postgres', 'return', async (client) => {
        const row = await one(client, 'select pg_is_in_recovery()::text as recovering');
        // Its control file is of the old timeline until then.
        if (row.recovering === 'false') await client.query('checkpoint');
        return row;
      }),
  );
  return recovering === 'true';
}
