/** Reading archived segments, to see whether they hold what their names say. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { formatNumberOf } from '../../evidence/format.ts';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { SegmentRange } from '../../recovery/archive.ts';
import {
  type ContentFault,
  firstPageBytes,
  forkSegment,
  judgeFirstPage,
  judgeFork,
  type Known,
  type Promotion,
  readFirstPage,
} from '../../recovery/content.ts';
import { formatLsn, parseLsn } from '../../recovery/lsn.ts';
import { namesOf, timelineOf } from '../../recovery/segments.ts';
import { runTool } from '../child.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { Permit } from '../permit.ts';
import type { Patience, Scratch, SegmentsRead } from '../shapes.ts';
import { backupKind } from './kind.ts';
import { inReadingRoom } from './reading-room.ts';

interface Ask extends Patience {
  backups: PhysicalBackups;
  scratch: Scratch;
  segments: Pick<SegmentRange, 'first' | 'last'>[];
  known: Known;
  wholly: boolean;
  key?: string;
}

/** More of them say nothing new. */
const mostFaults = 100;

/**
 * Fetches the segments one after the other, and looks at each: the first page, the record with which a timeline begins, and
 * `wholly` also the checksum that its name carries.
 *
 * @throws ArchiveUnreachable @throws StoreRefused
 */
export async function readSegments(ask: Ask): Promise<SegmentsRead> {
  const progress = { read: 0, segment: '' };
  const outage = new Outage('ArchiveUnreachable', ask);
  const faults: ContentFault[] = [];
  const promotions: Promotion[] = [];
  await inReadingRoom(ask, (places, permit) =>
    beating(
      () => progress,
      async () => {
        const checksums = ask.wholly ? await backupKind(ask.backups).checksums(ask.backups) : new Map<string, string>();
        for (const segment of ask.segments.flatMap((range) => namesOf(range, ask.known.segmentBytes))) {
          Context.current().cancellationSignal.throwIfAborted();
          progress.segment = segment;
          const look = await lookAt(
            { ...ask, outage },
            { permit, folder: places.wal, segment, checksum: checksums.get(segment) },
          );
          faults.push(...look.faults);
          promotions.push(...look.promotions);
          progress.read += 1;
        }
      },
    ),
  );
  return {
    read: progress.read,
    faults: faults.slice(0, mostFaults),
    promotions,
    found: `${formatNumberOf(progress.read, 'segment')} read, ${faults.length === 0 ? 'each as its name says' : faults.map(({ seen }) => seen).join('; ')}`,
    expected: 'WAL of this cluster, and of the branch that its name says',
  };
}

/** Bytes of one that can be read. */
export async function segmentSizeOf(
  ask: Pick<Ask, 'backups' | 'scratch' | 'key'>,
  segment: string,
): Promise<number | undefined> {
  return inReadingRoom(ask, async ({ wal }) => {
    const file = join(wal, segment);
    try {
      if (!(await backupKind(ask.backups).fetchWal(ask.backups, segment, file))) return undefined;
      return readFirstPage(await firstBytes(file))?.segmentBytes;
    } catch (error) {
      if (isDamage(error)) return undefined;
      throw error;
    }
  });
}

function isDamage(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && error.type === 'BackupCorrupt';
}

interface Place {
  permit: Permit;
  folder: string;
  segment: string;
  /** SHA-1 of its content; absent when it is not to be compared. */
  checksum: string | undefined;
}

async function lookAt(
  ask: Ask & { outage: Outage },
  place: Place,
): Promise<{ faults: ContentFault[]; promotions: Promotion[] }> {
  const { segment, folder } = place;
  const file = join(folder, segment);
  const fault = (seen: string): ContentFault => ({ kind: 'damaged-segment', segment, seen: `${segment} ${seen}` });
  try {
    const fetch = () => backupKind(ask.backups).fetchWal(ask.backups, segment, file);
    if (!(await ask.outage.waitOut(fetch)))
      return { faults: [fault('is listed, but cannot be fetched')], promotions: [] };
    const page = judgeFirstPage(ask.known, segment, readFirstPage(await firstBytes(file)));
    if (page !== undefined) return { faults: [page], promotions: [] };
    const { size } = await stat(file);
    if (size !== ask.known.segmentBytes)
      return {
        faults: [fault(`has ${size} bytes in the archive, expected ${ask.known.segmentBytes}`)],
        promotions: [],
      };
    if (place.checksum !== undefined && (await sha1Of(file)) !== place.checksum)
      return { faults: [fault('does not have the content that its checksum names')], promotions: [] };
    return await lookAtForks(ask, place);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { faults: [fault(`cannot be read: ${error.message}`)], promotions: [] };
  } finally {
    await rm(file, { force: true });
  }
}

async function lookAtForks(
  ask: Ask,
  { permit, folder, segment }: Place,
): Promise<{ faults: ContentFault[]; promotions: Promotion[] }> {
  const timeline = timelineOf(segment);
  const fork = forkSegment(ask.known, timeline);
  if (fork?.segment !== segment) return { faults: [], promotions: [] };
  const records = await recordsFrom(permit, folder, timeline, fork.lsn);
  const fault = judgeFork(ask.known, timeline, records);
  return {
    faults: fault === undefined ? [] : [fault],
    promotions: records.flatMap(({ promotion }) => promotion ?? []),
  };
}

/** After a crash in mid-record, a note of that comes before the promotion; a changed full_page_writes is written before it, too. */
const recordsLookedAt = 4;

/** `... lsn: 0/0C0000A0, prev 0/0C000028, desc: END_OF_RECOVERY tli 2; prev tli 1; time 2026-11-21 13:59:57.123456 UTC` */
const record = /lsn: ([0-9A-F]+\/[0-9A-F]+), prev \S+, desc: (.*)$/;
const promoted = /^(?:END_OF_RECOVERY|CHECKPOINT_SHUTDOWN) .*?\btli (\d+); prev tli (\d+)/;
const promotedAt = /time (\d{4}-\d\d-\d\d) ([\d:.]+) UTC/;

async function recordsFrom(
  permit: Permit,
  folder: string,
  timeline: number,
  from: string,
): Promise<{ lsn: string; what: string; promotion?: Promotion }[]> {
  const words = [`--path=${folder}`, `--timeline=${timeline}`, `--start=${from}`, `--limit=${recordsLookedAt}`];
  // Whatever it exits with: what it could not read is missing in what it wrote.
  const { stdout } = await runTool(join(permit.postgresql, 'pg_waldump'), words, { cwd: folder });
  return stdout.split('\n').flatMap((line) => {
    const [, at, text = ''] = record.exec(line) ?? [];
    if (at === undefined) return [];
    const lsn = formatLsn(parseLsn(at));
    const [what = ''] = text.split(' ');
    const [, to, before] = promoted.exec(text) ?? [];
    if (to === undefined || before === undefined || to === before) return [{ lsn, what }];
    const [, day, time] = promotedAt.exec(text) ?? [];
    const moment = day === undefined ? {} : { at: `${day}T${time}Z` };
    return [{ lsn, what, promotion: { lsn, timeline: Number(to), from: Number(before), ...moment } }];
  });
}

/** Of its first page. */
export async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(firstPageBytes), 0, firstPageBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function sha1Of(file: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
