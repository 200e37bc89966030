/** Which archived segments a stretch of time lies in. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { formatNumberOf } from '../../evidence/format.ts';
import { gapsOf } from '../../recovery/gaps.ts';
import { firstAfter, type Looked } from '../../recovery/search/by-time.ts';
import { readLine } from '../../recovery/search/records.ts';
import { precedes } from '../../recovery/search/tally.ts';
import { namesOf, parseSegment } from '../../recovery/segments.ts';
import type { HostReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { Permit } from '../permit.ts';
import type { SegmentsBetween } from '../shapes.ts';
import { backupKind } from './kind.ts';
import { inReadingRoom } from './reading-room.ts';
import { damage, damaged, waldump } from './waldump.ts';

type Ask = Parameters<HostReads['segmentsBetween']>[0];

/** Times of commits are not in their order: one that took its time first may commit last. */
const timesMayDifferMs = 5_000;
/** Transactions that run for longer before the search begins are counted in part, and that is said. */
const mostBefore = 64;

/** What one look into a segment tells. */
interface Look extends Looked {
  running?: { next: number; oldest: number };
}

/**
 * The segments that must be read to see every transaction that was committed between two moments: from the one in which the oldest
 * of those that ran at the first moment had not begun yet. Few segments are fetched for it, and none of them is read further than needed.
 *
 * @throws TargetOutsideWindow the archive begins later @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnreachable
 */
export async function segmentsBetween(ask: Ask): Promise<SegmentsBetween> {
  const { segmentBytes } = ask;
  const names = ask.segments.flatMap((range) => namesOf(range, segmentBytes));
  const fromMs = Date.parse(ask.from);
  const toMs = Date.parse(ask.to);
  const outage = new Outage('ArchiveUnreachable', ask);
  return inReadingRoom(ask, async ({ wal }, permit) => {
    const looks = new Map<number, Look>();
    const look = async (index: number): Promise<Look> => {
      const known = looks.get(index);
      if (known !== undefined) return known;
      Context.current().cancellationSignal.throwIfAborted();
      const name = names[index] ?? '';
      const file = join(wal, name);
      if (!(await outage.waitOut(() => backupKind(ask.backups).fetchWal(ask.backups, name, file)))) throw gap([name]);
      const found = await lookInto(permit, wal, name);
      await rm(file, { force: true });
      looks.set(index, found);
      return found;
    };
    const progress = () => ({ line: `${formatNumberOf(looks.size, 'segment')} looked into, of ${names.length}` });
    return beating(progress, async () => {
      const indexOf = (name: string | undefined) => (name === undefined ? -1 : names.indexOf(name));
      const [low, high] = [indexOf(ask.notAfter), indexOf(ask.notBefore)];
      const begins = await firstAfter(names.length, fromMs - timesMayDifferMs, look, low < 0 ? {} : { low });
      if (begins === 0) await refuseEarlier(ask, names, fromMs, look);
      const start = Math.max(0, begins - 1);
      const ends = await firstAfter(names.length, toMs + timesMayDifferMs, look, {
        low: start,
        ...(high < 0 ? {} : { high: Math.min(names.length, high + 1) }),
      });
      const last = Math.min(names.length - 1, ends);
      const missing = firstGap(names, start, last, segmentBytes);
      if (missing !== undefined) throw gap(missing);
      const before = await beforeRunning(names, start, segmentBytes, look);
      return {
        segments: gapsOf(names.slice(before.start, last + 1), segmentBytes),
        whole: before.whole,
        looked: looks.size,
        found: `${formatNumberOf(last - before.start + 1, 'segment')} from ${names[before.start]} to ${names[last]}, of ${names.length} on this way; ${looks.size} looked into to find them${before.whole ? '' : `. A transaction ran ${start - before.start} segments before already: what it did earlier is not counted`}`,
        expected: 'all WAL of that time, without a gap',
      };
    });
  });
}

/** Reads on until it has seen a transaction's end and a list of those that run, or the end of the segment. */
async function lookInto(permit: Permit, directory: string, segment: string): Promise<Look> {
  const found: Look = {};
  const { said } = await waldump(permit, directory, [segment, segment], (text) => {
    const record = readLine(text)?.record;
    if (record?.what === 'end') found.endedAt ??= Date.parse(record.end.at);
    if (record?.what === 'running') found.running ??= record;
    return found.endedAt !== undefined && found.running !== undefined ? false : undefined;
  });
  if (damage.test(said)) throw damaged(`segment ${segment}`, said);
  return found;
}

async function refuseEarlier(ask: Ask, names: string[], fromMs: number, look: (index: number) => Promise<Look>) {
  for (let index = 0; index < Math.min(names.length, mostBefore); index += 1) {
    const { endedAt } = await look(index);
    if (endedAt === undefined) continue;
    if (endedAt <= fromMs) return;
    throw failure(
      'TargetOutsideWindow',
      `the archive's WAL begins with ${names[0]}, in which the first transaction ended at ${new Date(endedAt).toISOString()}; expected WAL from ${ask.from} on. Search from then on: --from ${new Date(endedAt).toISOString()}`,
    );
  }
  throw failure(
    'TargetOutsideWindow',
    names.length === 0
      ? 'the archive holds no WAL segment on this timeline. See whether archiving works: select * from pg_stat_archiver.'
      : `no transaction ended in the oldest WAL that the archive holds, from ${names[0]} on, so that its time is not known; expected WAL from ${ask.from} on. Search from a later moment.`,
  );
}

/** Far enough back that every transaction which ran at the start is seen from its first record on. */
async function beforeRunning(
  names: string[],
  start: number,
  segmentBytes: number,
  look: (index: number) => Promise<Look>,
): Promise<{ start: number; whole: boolean }> {
  const at = await nextRunning(start, names.length, look);
  if (at === undefined || at.next === at.oldest) return { start, whole: at !== undefined };
  for (let back = 1; back <= mostBefore && back <= start; back *= 2) {
    if (firstGap(names, start - back, start, segmentBytes) !== undefined) break;
    const then = await look(start - back);
    if (then.running !== undefined && !precedes(at.oldest, then.running.next))
      return { start: start - back, whole: true };
  }
  return { start, whole: false };
}

/** The list is written every 15 s while there is something to do. */
async function nextRunning(from: number, to: number, look: (index: number) => Promise<Look>) {
  for (let index = from; index < Math.min(to, from + 4); index += 1) {
    const { running } = await look(index);
    if (running !== undefined) return running;
  }
  return undefined;
}

function firstGap(names: string[], from: number, to: number, segmentBytes: number): string[] | undefined {
  for (let index = from + 1; index <= to; index += 1) {
    const [before = '', here = ''] = [names[index - 1], names[index]];
    if (parseSegment(here, segmentBytes).number !== parseSegment(before, segmentBytes).number + 1)
      return [before, here];
  }
  return undefined;
}

function gap([before, after]: string[]): Error {
  const seen =
    after === undefined
      ? `segment ${before} is not in the archive`
      : `between ${before} and ${after} segments are not in the archive`;
  return failure(
    'ArchiveGap',
    `${seen}; expected all of them between the moments to search. What was written there cannot be read: search before or after it (lifeboat archive says what is missing), and take a new backup.`,
  );
}
