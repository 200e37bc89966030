/** Finds the record that a person's target means, in the archived WAL. */
import { ApplicationFailure } from '@temporalio/common';
import { formatClock, formatNumberOf } from '../../evidence/format.ts';
import type { Lsn } from '../../recovery/archive.ts';
import { headerAt } from '../../recovery/content.ts';
import { runsOf } from '../../recovery/gaps.ts';
import { type Located, Locating } from '../../recovery/locating.ts';
import { compareLsn, formatLsn, lsnDistance, parseLsn } from '../../recovery/lsn.ts';
import { Marks } from '../../recovery/search/marks.ts';
import { namesOf, parseSegment, segmentEnd, segmentNumberAt } from '../../recovery/segments.ts';
import { pathTo, timelineOfRecord } from '../../recovery/timelines.ts';
import { sayWantedTarget, type WantedTarget } from '../../recovery/wanted-target.ts';
import type { LocatedTarget, RecoveryHostReads } from '../contract-of-recovery.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { empty } from '../postgres/scratch.ts';
import { fetchOwn } from './fetch-own.ts';
import { inReadingRoom } from './reading-room.ts';
import { readStretch, type Stretch } from './wal-stream.ts';

type Ask = Parameters<RecoveryHostReads['locateTarget']>[0];

/** Ends of transactions, restore points, and the removal of a database's files: a small part of the WAL. */
const records = ['Transaction', 'XLOG', 'Database'];

/**
 * The record that a target means: where PostgreSQL itself would stop for a time, a transaction or a name, as an LSN on a numeric timeline;
 * and what the archive holds after it. Memory and room stay the same however much WAL that is.
 *
 * WAL that is damaged or missing after the target does not keep a recovery from it: then it is said that more may lie there.
 * @throws TargetOutsideWindow @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnsound @throws ArchiveUnreachable
 */
export async function locateTarget(ask: Ask): Promise<LocatedTarget> {
  const names = ask.segments.flatMap((range) => namesOf(range, ask.known.segmentBytes));
  const [first, last] = [names[0], names.at(-1)];
  if (first === undefined || last === undefined)
    throw failure(
      'TargetOutsideWindow',
      `the archive holds no WAL on the way to timeline ${ask.timeline} in which ${sayWantedTarget(ask.target)} could lie. See whether archiving works: select * from pg_stat_archiver.`,
    );
  const located = await inReadingRoom(ask, async ({ wal }, permit) => {
    const progress: Progress = { read: 0, of: names.length };
    return beating(
      () => ({ line: progressWords(progress) }),
      async () => {
        const reading = new Reading(ask, names, wal, permit, progress);
        const wanted = ask.target.kind === 'lsn' ? await reading.startOf(ask.target) : ask.target;
        return reading.locate(wanted);
      },
    );
  });
  if ('outside' in located) throw failure('TargetOutsideWindow', located.outside);
  return answer(ask, located);
}

interface Progress {
  read: number;
  of: number;
  upTo?: string | undefined;
}

/** What of the WAL is read. */
type How = Pick<Stretch, 'records' | 'atOnce'>;

class Reading {
  readonly #ask: Ask;
  readonly #names: readonly string[];
  readonly #wal: string;
  readonly #permit: Permit;
  readonly #progress: Progress;
  readonly #fetch: Stretch['fetch'];

  constructor(ask: Ask, names: readonly string[], wal: string, permit: Permit, progress: Progress) {
    this.#ask = ask;
    this.#names = names;
    this.#wal = wal;
    this.#permit = permit;
    this.#progress = progress;
    this.#fetch = fetchOwn(ask);
  }

  async locate(wanted: WantedTarget): Promise<Located | { outside: string }> {
    const read = `from ${this.#names[0]} to ${this.#names.at(-1)}`;
    const located = (await this.#read(wanted)).outcome(read);
    if ('outside' in located || located.dropping === undefined) return located;
    const begin = await this.#beginOfDrop(located.dropping);
    if (begin === undefined) return located;
    const earlier = (await this.#read({ kind: 'lsn', lsn: begin, inclusive: false })).outcome(read);
    return 'outside' in earlier
      ? earlier
      : { ...earlier, notes: [...located.notes, ...droppedMeanwhile(located, earlier)] };
  }

  /** Where the drop of a database began that this transaction has committed. */
  async #beginOfDrop(transaction: number): Promise<Lsn | undefined> {
    for (const run of runsOf(this.#names, this.#ask.known.segmentBytes)) {
      const marks = new Marks();
      let begin: Lsn | undefined;
      await empty(this.#wal);
      const stretch = this.#stretch(run, { records: ['Heap'], atOnce: 1 });
      await readStretch(stretch, this.#wal, this.#permit, ({ lsn, record }) => {
        if (record?.what === 'marked') marks.mark(record.row, lsn);
        if (record?.what !== 'unlisted' || record.xid !== transaction) return undefined;
        begin = formatLsn(parseLsn(marks.beginOf(record.row, lsn)));
        return false;
      });
      if (begin !== undefined) return begin;
    }
    return undefined;
  }

  async #read(wanted: WantedTarget): Promise<Locating> {
    const quick = await this.#readAll(wanted, { records });
    if (!('damage' in quick)) return quick;
    // What was fetched together with damaged WAL may hold the target: one by one, all before the damage is read.
    const careful = await this.#readAll(wanted, { records: wanted.kind === 'lsn' ? 'all' : records, atOnce: 1 });
    if ('damage' in careful) throw careful.damage;
    return careful;
  }

  async #readAll(wanted: WantedTarget, how: How): Promise<Locating | { damage: ApplicationFailure }> {
    const { consistentFrom, wholeUntil } = this.#ask;
    const locating = new Locating({
      wanted,
      ...(consistentFrom !== undefined && { consistentFrom }),
      ...(wholeUntil !== undefined && { wholeUntil }),
    });
    let before: string | undefined;
    let read = 0;
    try {
      for (const run of runsOf(this.#names, this.#ask.known.segmentBytes)) {
        if (before !== undefined)
          locating.gap(
            `segments between ${before} and ${run[0]} are not in the archive`,
            segmentEnd(before, this.#ask.known.segmentBytes),
          );
        await this.#readRun(run, how, locating, read);
        before = run.at(-1);
        read += run.length;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (!locating.found) return { damage: error };
      locating.broken(error.message);
    }
    return locating;
  }

  async #readRun(names: readonly string[], how: How, locating: Locating, before: number): Promise<void> {
    await empty(this.#wal);
    const onBatch = (count: number) => {
      this.#progress.read = before + count;
      this.#progress.upTo = locating.upTo;
    };
    await readStretch(this.#stretch(names, how), this.#wal, this.#permit, (line) => locating.add(line), onBatch);
  }

  #stretch(names: readonly string[], how: How): Stretch {
    const { known, serverVersion } = this.#ask;
    return { names, segmentBytes: known.segmentBytes, serverVersion, fetch: this.#fetch, ...how };
  }

  /**
   * The position, when a record starts there. PostgreSQL asks no such thing: given a position inside of a record, it stops at the next one.
   * A page's header comes before its first record.
   */
  async startOf(wanted: { kind: 'lsn'; lsn: Lsn; inclusive: boolean }): Promise<WantedTarget> {
    const { before, next } = await this.#around(wanted.lsn);
    const { segmentBytes } = this.#ask.known;
    if (next === undefined)
      throw failure(
        'TargetOutsideWindow',
        `${wanted.lsn} lies after the last record that the archive holds on this way${before === undefined ? '' : `, which starts at ${before}: for all that is archived write "${before}"`}. For more, have the service write and archive its WAL (select pg_switch_wal()), and start again.`,
      );
    if (lsnDistance(wanted.lsn, next) <= headerAt(wanted.lsn, segmentBytes)) return { ...wanted, lsn: next };
    throw failure(
      'TargetOutsideWindow',
      `no record starts at ${wanted.lsn}; the nearest start at ${[...(before === undefined ? [] : [before]), next].join(' and ')}. PostgreSQL would go on to the next one. Write "before ${next}" for everything up to there${before === undefined ? '' : `, or "before ${before}" to leave out what starts at ${before}`}.`,
    );
  }

  /** Starts of the last record before a position, and of the first one from there on. */
  async #around(lsn: Lsn): Promise<{ before?: Lsn; next?: Lsn }> {
    const { segmentBytes } = this.#ask.known;
    const number = segmentNumberAt(lsn, segmentBytes);
    const numberOf = (name: string) => parseSegment(name, segmentBytes).number;
    const run = runsOf(this.#names, segmentBytes).find((one) => one.some((name) => numberOf(name) === number));
    if (run === undefined) throw this.#notRead(lsn);
    const at = run.findIndex((name) => numberOf(name) === number);
    const around: { before?: Lsn; next?: Lsn } = {};
    await empty(this.#wal);
    const stretch = this.#stretch(run.slice(Math.max(0, at - 1)), { records: 'all', atOnce: 1 });
    await readStretch(stretch, this.#wal, this.#permit, (line) => {
      const start = formatLsn(parseLsn(line.lsn));
      const reached = compareLsn(start, lsn) >= 0;
      around[reached ? 'next' : 'before'] = start;
      return !reached;
    });
    return around;
  }

  #notRead(lsn: Lsn): Error {
    const { segmentBytes } = this.#ask.known;
    const number = segmentNumberAt(lsn, segmentBytes);
    const numbers = this.#names.map((name) => parseSegment(name, segmentBytes).number);
    const [first, last] = [this.#names[0], this.#names.at(-1)];
    if (Math.min(...numbers) < number && number < Math.max(...numbers))
      return failure(
        'ArchiveGap',
        `${lsn} lies in a segment that the archive lacks, between ${first} and ${last}. No recovery gets there: choose a target before the gap, or after a later backup (lifeboat archive says what is missing).`,
      );
    return failure(
      'TargetOutsideWindow',
      `${lsn} does not lie in the archive's WAL on this way, from ${first} to ${last}. Choose a position in it (lifeboat recovery-window).`,
    );
  }
}

function droppedMeanwhile(located: Located, earlier: Located): string[] {
  const more = earlier.after.transactions - located.after.transactions;
  const meanwhile =
    more <= 0 ? '' : `; ${formatNumberOf(more, 'transaction')} committed while it was dropped will be lost too`;
  return [
    `it stops before transaction ${located.dropping} marks the database that it drops, so that this is whole${meanwhile}`,
    ...earlier.notes,
  ];
}

const damages: readonly (string | null | undefined)[] = ['BackupCorrupt', 'ArchiveGap', 'ArchiveUnsound'];

function isDamage(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && damages.includes(error.type);
}

function answer({ known, timeline, target }: Ask, { lsn, inclusive, last, after, notes }: Located): LocatedTarget {
  const { transactions, atLeast, newestAt, newestLsn } = after;
  const on = timelineOfRecord(pathTo(known, timeline), lsn);
  const held =
    last === undefined
      ? 'no commit before it was read'
      : `the last commit in it is transaction ${last.transaction} of ${last.at}`;
  const left =
    transactions === 0
      ? 'the archive holds no commit after it'
      : `${formatNumberOf(transactions, 'transaction')} committed after it will be lost, the newest of ${newestAt}`;
  const words = [`${inclusive ? 'up to and with' : 'just before'} ${lsn} on timeline ${on}: ${held}`, left, ...notes];
  return {
    target: { kind: 'lsn', lsn, inclusive, timeline: on },
    ...(last && { at: last.at, transaction: last.transaction }),
    after: {
      transactions,
      ...(atLeast && { atLeast }),
      ...(newestAt !== undefined && { newestAt }),
      ...(newestLsn !== undefined && { newestLsn }),
    },
    notes,
    found: words.join('; '),
    expected: `the record at which a recovery to ${sayWantedTarget(target)} ends`,
  };
}

/** `segment 37 of 120, 14:02:11Z` */
function progressWords({ read, of, upTo }: Progress): string {
  return `segment ${read} of ${of}${upTo === undefined ? '' : `, ${formatClock(upTo)}Z`}`;
}
