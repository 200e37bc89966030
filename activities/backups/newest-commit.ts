/** The newest commit that the archive holds: the farthest point that a recovery can be told to reach. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Context } from '@temporalio/activity';
import type { PhysicalBackups } from '../../plan/schema.ts';
import { formatLsn, parseLsn } from '../../recovery/lsn.ts';
import { parseSegment, segmentName } from '../../recovery/segments.ts';
import { killed, toolEnvironment } from '../child.ts';
import type { NewestCommit, Patience, Scratch } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { Permit } from '../permit.ts';
import { empty, exists, makePlaces, type Places, permittedPlaces } from '../postgres/scratch.ts';
import { backupKind } from './kind.ts';

interface Commit {
  /** Where its record starts: a recovery that includes it stops right after it. */
  lsn: string;
  at: string;
}

interface Ask extends Patience {
  backups: PhysicalBackups;
  scratch: Scratch;
  timeline: number;
  lastSegment: string;
  firstSegment: string;
  segmentBytes: number;
}

/** One budget of waiting for all the segments that are fetched. */
interface Search extends Ask {
  outage: Outage;
}

/**
 * The last commit record that lies wholly inside the archived segments, from `lastSegment` back to `firstSegment`. (The end of the last
 * segment is no target: the server would look for a record after it, and die.)
 *
 * @throws ArchiveGap a segment is not there @throws BackupCorrupt a segment is damaged @throws TargetOutsideWindow there is no commit
 */
export async function newestCommit(ask: Ask): Promise<NewestCommit> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  const untouched = !(await exists(places.directory));
  const progress = { segment: ask.lastSegment };
  const outage = new Outage('ArchiveUnreachable', ask);
  try {
    await makePlaces(places);
    await empty(places.wal);
    return await beating(
      () => ({ reading: progress.segment }),
      () => searchBack({ ...ask, outage }, places, permit, progress),
    );
  } finally {
    // Only read: nothing may stay of it, not even an empty directory.
    await rm(untouched ? places.directory : places.wal, { recursive: true, force: true });
  }
}

async function searchBack(
  ask: Search,
  places: Places,
  permit: Permit,
  progress: { segment: string },
): Promise<NewestCommit> {
  const { segmentBytes, firstSegment } = ask;
  const first = parseSegment(firstSegment, segmentBytes);
  const last = parseSegment(ask.lastSegment, segmentBytes);
  let after: string | undefined;
  let timeline = last.timeline;
  for (let number = last.number; number >= first.number; number -= 1) {
    Context.current().cancellationSignal.throwIfAborted();
    // Before a fork, the WAL lies on an older timeline, under its name.
    const found = await fetchOn(ask, places, number, timeline, first.timeline);
    progress.segment = found.segment;
    if (found.timeline !== timeline) after = undefined;
    timeline = found.timeline;
    const commit = await lastCommit(permit, places, found.segment, after);
    if (commit !== undefined)
      return {
        ...commit,
        segment: found.segment,
        found: `the newest commit in the archive is at ${commit.lsn}, of ${commit.at}, in segment ${found.segment}`,
        expected: 'a commit record that lies wholly inside the archive',
      };
    // A record that begins here and ends in the next segment needs both.
    if (after !== undefined) await rm(join(places.wal, after), { force: true });
    after = found.segment;
  }
  throw failure(
    'TargetOutsideWindow',
    `no commit lies in the archive between ${firstSegment} and ${ask.lastSegment}: the service has written nothing since the backup. Start a pulse, or wait for a write.`,
  );
}

async function fetchOn(
  ask: Search,
  places: Places,
  number: number,
  newest: number,
  oldest: number,
): Promise<{ segment: string; timeline: number }> {
  for (let timeline = newest; timeline >= Math.max(1, oldest); timeline -= 1) {
    const segment = segmentName({ timeline, number }, ask.segmentBytes);
    const fetch = () => backupKind(ask.backups).fetchWal(ask.backups, segment, join(places.wal, segment));
    if (await ask.outage.waitOut(fetch)) return { segment, timeline };
  }
  const segment = segmentName({ timeline: newest, number }, ask.segmentBytes);
  throw failure(
    'ArchiveGap',
    `segment ${segment} is not in the archive, though its listing says so. Run the assessment again; see whether something deletes from the repository.`,
  );
}

/** `... lsn: 0/0C000110, prev 0/0C0000D8, desc: COMMIT 2026-11-21 13:59:57.123456 UTC; ...` */
const commitRecord = /lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: COMMIT(?:_PREPARED \d+:)? (\d{4}-\d\d-\d\d) ([\d:.]+) UTC/;
/** WAL that cannot be right. That the last record goes on in a segment which is not there is no damage. */
const damage = /incorrect |invalid magic|invalid info|unexpected pageaddr|invalid resource manager|out-of-sequence/;

/** Streams the records, which can be many; keeps the last. */
async function lastCommit(
  permit: Permit,
  places: Places,
  segment: string,
  after: string | undefined,
): Promise<Commit | undefined> {
  const program = join(permit.postgresql, 'pg_waldump');
  const words = [`--path=${places.wal}`, '--rmgr=Transaction', segment, ...(after === undefined ? [] : [after])];
  const child = spawn(program, words, {
    cwd: places.wal,
    // Times are printed in the zone of the process.
    env: toolEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: Context.current().cancellationSignal,
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, by) => {
      // What it had not printed yet would read as if there were no later commit.
      if (by !== null && !Context.current().cancellationSignal.aborted) reject(killed(program, by));
      else resolve();
    });
  });
  let newest: Commit | undefined;
  let said = '';
  child.stderr.on('data', (words: Buffer) => {
    said = `${said}${words.toString()}`.slice(-4_000);
  });
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, lsn, day, time] = commitRecord.exec(line) ?? [];
      if (lsn !== undefined) newest = { lsn: formatLsn(parseLsn(lsn)), at: `${day}T${time}Z` };
    }
  })();
  await Promise.all([ended, reading]);
  if (damage.test(said))
    throw failure(
      'BackupCorrupt',
      `segment ${segment} in the archive is damaged: ${said.trim().slice(-300)}. Nothing after it can be recovered. Take a new backup, and find out what damaged it.`,
    );
  return newest;
}
