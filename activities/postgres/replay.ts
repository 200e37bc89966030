/** Replaying WAL on the server beside, up to a target and no further. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { RecoveryTarget } from '../../recovery/archive.ts';
import { backupKind } from '../backups/kind.ts';
import { failure } from '../failure.ts';
import { Outage } from '../outage.ts';
import type { Permit } from '../permit.ts';
import type { EndOfRecovery, Room, Scratch } from '../shapes.ts';
import { sizeOf } from '../tail.ts';
import { refuseOtherCollations } from './collations.ts';
import { writeConfiguration } from './configuration.ts';
import { controlData } from './control-data.ts';
import { noteStart, promotedAlready, readStart, type Start, waitForPause } from './paused.ts';
import { askRecovery, describeEnd } from './recovery-state.ts';
import { watchReplay } from './replay-watch.ts';
import { writeRestoreCommand } from './restore-command.ts';
import { exists, type Places, permittedPlaces } from './scratch.ts';
import { findServer, startServer, stopServer } from './server.ts';
import { createdTablespace, whyEnded } from './server-log.ts';
import { closeTablespaces, removeTrace } from './tablespaces.ts';

export interface ReplayAsk {
  backups: PhysicalBackups;
  scratch: Scratch;
  target: RecoveryTarget;
  /** How long an outage of the archive is waited for, milliseconds since the activity was first scheduled. */
  outageWithinMs: number;
  throwAway: boolean;
  /** Absent: only the disk itself says when it is full. */
  room?: Room;
}

/** A large checkpoint at the stop of a server that has replayed much. */
const stopWithinMs = 600_000;
/** The WAL can raise what a standby needs several times, but not for ever. */
const mostRaises = 10;
/** A server that is killed again and again has no room to live in. */
const mostKills = 3;

/**
 * Starts the restored server, or moves it on, and returns when it stands paused at the target.
 *
 * Safe to repeat: a server that stands there already, or is on its way there, is left alone; one that was started with another
 * target is stopped cleanly and started with this one (a reload would do nothing), which replays from its last restartpoint.
 * @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnreachable @throws ReplayFailed @throws VersionMismatch
 * @see PostgreSQL documentation, "Recovery Target"
 */
export async function replayTo(ask: ReplayAsk): Promise<EndOfRecovery> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  refuseVagueTarget(ask.target);
  if (!(await exists(places.restored)))
    throw failure('ReplayFailed', `there is no complete restore in ${places.directory}. Restore there first.`);
  try {
    return await reach(ask, places, permit);
  } catch (error) {
    const location = await createdTablespace(places);
    if (location !== undefined) await removeTrace(location, places, permit);
    throw error;
  }
}

async function reach(ask: ReplayAsk, places: Places, permit: Permit): Promise<EndOfRecovery> {
  const outage = new Outage('ArchiveUnreachable', ask);
  const watch = watchReplay(ask.scratch, ask.room, places);
  let start = await readStart(places);
  let pid = await findServer(places);
  if (start === undefined || pid === undefined || !sameTarget(start.target, ask.target))
    [start, pid] = await startTowards(ask, outage, places, permit, start?.raised ?? {});
  for (let raises = 0, kills = 0; ; ) {
    const reached = await waitForPause(places, start, pid, outage, watch);
    if ('state' in reached) {
      await refuseOtherCollations(places);
      return describeEnd(places, reached.state, ask.scratch.host, start.logFrom);
    }
    if ('killed' in reached) {
      kills += 1;
      if (kills > mostKills) throw await whyEnded(places, start.logFrom);
      [start, pid] = await startTowards(ask, outage, places, permit, start.raised);
      continue;
    }
    raises += 1;
    if (raises > mostRaises)
      throw failure(
        'ReplayFailed',
        `the WAL wants ${wordsOf(reached.raised)}, after ${mostRaises} raises. See ${places.serverLog}.`,
      );
    [start, pid] = await startTowards(ask, outage, places, permit, { ...start.raised, ...reached.raised });
  }
}

async function startTowards(
  ask: ReplayAsk,
  outage: Outage,
  places: Places,
  permit: Permit,
  raised: Record<string, number>,
): Promise<[Start, number]> {
  if ((await askRecovery(places))?.promoted) throw promotedAlready(places, ask.target);
  await stopServer(places, 'fast', stopWithinMs);
  const control = await controlData(permit, places.data);
  // A promoted server has left the source's history: replaying on it would mix two of them.
  if (control.state === 'shut down' && !(await exists(join(places.data, 'backup_label'))))
    throw promotedAlready(places, ask.target);
  await rm(places.reason, { force: true });
  await rm(places.absent, { force: true });
  await writeRestoreCommand(places, {
    fetch: await backupKind(ask.backups).fetchInShell(ask.backups, places, outage.silentSeconds),
    outageWithinMs: outage.leftMs,
  });
  await writeConfiguration(places, { target: ask.target, control, raised, throwAway: ask.throwAway });
  await closeTablespaces(places);
  const start: Start = {
    target: ask.target,
    raised,
    throwAway: ask.throwAway,
    logFrom: await sizeOf(places.serverLog),
  };
  await noteStart(places, start);
  return [start, await startServer(places, permit, start)];
}

function sameTarget(a: RecoveryTarget, b: RecoveryTarget): boolean {
  const key = (one: RecoveryTarget) =>
    one.kind === 'lsn' ? ['lsn', one.lsn, one.inclusive, one.timeline] : ['time', one.at, one.timeline];
  return JSON.stringify(key(a)) === JSON.stringify(key(b));
}

/** `latest` never reaches PostgreSQL, and a naive time would be read in the server's own zone. */
function refuseVagueTarget(target: RecoveryTarget): void {
  if (!Number.isInteger(target.timeline) || target.timeline < 1)
    throw failure('InputInvalid', `timeline ${target.timeline} is no timeline; expected a number such as 1`);
  if (target.kind === 'time' && !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/.test(target.at))
    throw failure('InputInvalid', `"${target.at}" has no offset; expected a time such as 2026-11-21T14:00:00Z`);
  if (target.kind === 'lsn' && !/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(target.lsn))
    throw failure('InputInvalid', `"${target.lsn}" is not an LSN; expected one such as 0/59E1A40`);
}

function wordsOf(raised: Record<string, number>): string {
  return Object.entries(raised)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
}
