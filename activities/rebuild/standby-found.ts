import { lstat, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../../evidence/format.ts';
import type { Member } from '../../plan/schema.ts';
import type { Replication } from '../../plan/server-control.ts';
import { parseHistory } from '../../recovery/history.ts';
import { compareLsn, formatLsn } from '../../recovery/lsn.ts';
import type { Line, Past, StandbyFound } from '../../recovery/rebuild.ts';
import { isSegmentName, parseSegment, segmentNumberAt } from '../../recovery/segments.ts';
import { runTool } from '../child.ts';
import { canConnect, historyName } from '../cluster/server-facts.ts';
import { signalOf } from '../cluster/standby-only.ts';
import { freeAt } from '../disk.ts';
import type { Permit } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { type ControlData, controlData } from '../postgres/control-data.ts';
import { socketOf } from '../postgres/live-member.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

/** pg_control of a standby is as old as its last restartpoint; what it receives, and has replayed, is newer. */
const question = `
  select pg_is_in_recovery()::text as standby,
    greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text as reached,
    greatest((select received_tli from pg_stat_wal_receiver limit 1),
      (select min_recovery_end_timeline from pg_control_recovery()),
      (select timeline_id from pg_control_checkpoint()))::text as timeline,
    coalesce((select status from pg_stat_wal_receiver limit 1), 'not there') as receiver`;

/** As pg_controldata says it. One that recovers from a crash of its own was a primary. */
const standbyStates: readonly string[] = ['shut down in recovery', 'in archive recovery'];

/**
 * What is left of a standby: of one that runs by its own word, of one that does not by its files. Reads only.
 *
 * @throws PlanInvalid @throws NotPermitted @throws SecretMissing what it would connect with is not there
 */
export async function standbyFound(ask: { member: Member; replication: Replication }): Promise<Found & StandbyFound> {
  const { member, replication } = ask;
  const { host, dataDirectory } = member;
  const { permit } = await permitServerControl(member);
  await canConnect(replication, host);
  const directory = await howItIs(permit, dataDirectory);
  const { runs, row } = await running(member);
  const past = directory.control === undefined ? undefined : await pastOf(member, directory.control, runs, row);
  const found: StandbyFound = {
    host,
    directory: directory.is,
    runs,
    ...(row?.receiver == null ? {} : { receiver: row.receiver }),
    ...(past === undefined ? {} : { past }),
    serverVersion: await versionHere(permit),
    freeBytes: await freeAt(dirname(dataDirectory)),
  };
  return { ...found, found: inWords(found), expected: 'how the standby stands, running or not' };
}

async function howItIs(
  permit: Permit,
  dataDirectory: string,
): Promise<{ is: StandbyFound['directory']; control?: ControlData }> {
  const there = await lstat(dataDirectory).catch(() => undefined);
  if (there === undefined) return { is: 'gone' };
  if (there.isDirectory() && (await readdir(dataDirectory)).length === 0) return { is: 'gone' };
  const control = await controlData(permit, dataDirectory).catch(() => undefined);
  return control === undefined || !(await exists(join(dataDirectory, 'PG_VERSION')))
    ? { is: 'unusable' }
    : { is: 'there', control };
}

/** Until it is consistent a standby lets nobody in; that it is one is told by the file that made it one. */
async function running(member: Member): Promise<{ runs: StandbyFound['runs']; row?: Row }> {
  if ((await findLive(member.dataDirectory)) === undefined) return { runs: 'no' };
  try {
    const { place } = await socketOf(member);
    const row = await withSession(place, 'postgres', 'standby-found', (client) => one(client, question));
    return { runs: row.standby === 'true' ? 'standby' : 'primary', row };
  } catch {
    return { runs: (await exists(signalOf(member))) ? 'standby' : 'unknown' };
  }
}

async function pastOf(
  member: Member,
  control: ControlData,
  runs: StandbyFound['runs'],
  row: Row | undefined,
): Promise<Past | undefined> {
  const { systemIdentifier, checksumVersion, walLogHints, redo, segmentBytes } = control;
  // A backup's pg_control is that of its primary; what makes it a backup has not begun to recover yet.
  const restored = await exists(join(member.dataDirectory, 'backup_label'));
  const asStandby = restored || runs === 'standby' || standbyStates.includes(control.state);
  const timeline = Math.max(control.timeline, restored ? 0 : control.replayedTimeline, Number(row?.timeline ?? 0));
  const reached = [control.checkpoint, ...(restored ? [] : [control.replayed]), row?.reached ?? '0/0']
    .toSorted(compareLsn)
    .at(-1);
  const ancestors = await ancestorsOf(member, timeline);
  if (ancestors === undefined) return undefined;
  return {
    systemIdentifier,
    timeline,
    ancestors,
    reached: reached ?? control.checkpoint,
    needsFrom: await needsFrom(member, { redo, reached: reached ?? redo, segmentBytes }),
    as: asStandby ? 'standby' : 'primary',
    orderly: runs !== 'no' || control.state.startsWith('shut down'),
    checksums: checksumVersion > 0,
    walLogHints,
    left: { lsn: control.checkpoint, timeline: control.timeline, systemIdentifier },
  };
}

/** By its own history file; without it nobody can tell where its timeline comes from. */
export async function ancestorsOf({ dataDirectory }: Member, timeline: number): Promise<Line['ancestors'] | undefined> {
  if (timeline <= 1) return [];
  const text = await readFile(join(dataDirectory, 'pg_wal', historyName(timeline)), 'utf8').catch(() => '');
  const read = parseHistory(text, timeline);
  return 'ancestors' in read ? read.ancestors : undefined;
}

/** The segment that it wrote to last is asked for again, as is what somebody has removed before that. */
async function needsFrom(
  { dataDirectory }: Member,
  { redo, reached, segmentBytes }: { redo: string; reached: string; segmentBytes: number },
): Promise<string> {
  const names = await readdir(join(dataDirectory, 'pg_wal')).catch(() => []);
  const held = new Set(names.filter(isSegmentName).map((name) => parseSegment(name, segmentBytes).number));
  const last = segmentNumberAt(reached, segmentBytes);
  let number = segmentNumberAt(redo, segmentBytes);
  while (number < last && held.has(number)) number += 1;
  return formatLsn(BigInt(number) * BigInt(segmentBytes));
}

async function versionHere(permit: Permit): Promise<number> {
  const { stdout } = await runTool(join(permit.postgresql, 'postgres'), ['--version']);
  const [, major, minor] = /PostgreSQL\) (\d+)\.?(\d*)/.exec(stdout) ?? [];
  return Number(major) * 10_000 + Number(minor ?? 0);
}

function inWords({ host, directory, runs, receiver, past, freeBytes }: StandbyFound): string {
  const free = `${formatBytes(freeBytes)} free on its disk`;
  if (past === undefined)
    return `the data directory of ${host} is ${directory === 'gone' ? 'gone' : 'not usable'}; ${free}`;
  const what =
    runs === 'no' ? `is stopped, last a ${past.as}${past.orderly ? '' : ', not in order'}` : `runs (${runs})`;
  const streams = receiver === undefined ? '' : `, its receiver is ${receiver}`;
  return `${host} ${what}${streams}, on timeline ${past.timeline} up to ${past.reached}; ${free}`;
}
