/**
 * What really happened to a made-up cluster, and what its archive came to hold: the model that the judging of archives is compared with.
 * Everything here is computed by walking over positions and segments one by one, from the events and not from names or history files.
 */
import fc from 'fast-check';
import type { Anchor, BackupInfo, Repository } from '../../../recovery/archive.ts';
import { type ArchivedFile, readArchiveListing } from '../../../recovery/listing.ts';

const systemIdentifier = '7710621364788803446';
const megabyte = 1024 * 1024;

type Happening =
  | { kind: 'write'; segments: number; rest: number }
  | { kind: 'backup'; segments: number; rest: number; error: boolean }
  | { kind: 'anchor' }
  /** Of any timeline, at any point of it: of the newest at its end it is a failover, otherwise a recovery to a point in time. */
  | { kind: 'promotion'; of: number; back: number; atNote: boolean };

export interface Script {
  /** A segment has 2^power MB. */
  power: number;
  /** Where the WAL begins: so many segments from a border of 4 GB. */
  log: number;
  from: number;
  happenings: Happening[];
}

/** Of 4,096ths of a segment; 0 ends exactly at its border. */
const rest = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4095 }));

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write'), segments: fc.integer({ min: 0, max: 5 }), rest }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('backup'),
      segments: fc.integer({ min: 0, max: 2 }),
      rest,
      error: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('anchor') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('promotion'),
      of: fc.oneof(fc.constant(0), fc.nat(5)),
      back: fc.oneof(fc.constant(0), fc.nat(4000)),
      /** Exactly where an anchor or the end of a backup lies. */
      atNote: fc.boolean(),
    }),
  },
);

export const script: fc.Arbitrary<Script> = fc.record({
  power: fc.integer({ min: 0, max: 10 }),
  log: fc.integer({ min: 4, max: 400 }),
  from: fc.integer({ min: -12, max: 3 }),
  happenings: fc.array(happening, { minLength: 1, maxLength: 14 }),
});

interface Line {
  id: number;
  parent?: Line;
  /** Where it begins, and how far it was written. */
  from: bigint;
  end: bigint;
}

export interface TrueHistory {
  segmentBytes: number;
  lines: Line[];
  backups: BackupInfo[];
  anchors: Anchor[];
  /** `timeline/number` of every whole segment that was archived. */
  archived: Set<string>;
  partials: string[];
}

const key = (timeline: number, number: number): string => `${timeline}/${number}`;

const hex = (value: number | bigint): string => value.toString(16).toUpperCase().padStart(8, '0');
export const lsnOf = (at: bigint): string =>
  `${(at >> 32n).toString(16).toUpperCase()}/${(at & 0xffffffffn).toString(16).toUpperCase()}`;

export function nameOf(timeline: number, number: number, segmentBytes: number): string {
  const at = BigInt(number) * BigInt(segmentBytes);
  return hex(timeline) + hex(at >> 32n) + hex((at & 0xffffffffn) / BigInt(segmentBytes));
}

/** Lets it all happen, one thing after the other, an hour apart. */
export function happen({ power, log, from, happenings }: Script): TrueHistory {
  const segmentBytes = megabyte * 2 ** power;
  const size = BigInt(segmentBytes);
  const unit = size / 4096n;
  const begin = (BigInt(log) << 32n) + BigInt(from) * size;
  const lines: Line[] = [{ id: 1, from: begin, end: begin + 40n }];
  const history: TrueHistory = { segmentBytes, lines, backups: [], anchors: [], archived: new Set(), partials: [] };
  let here: Line = lines[0] as Line;
  const write = (segments: number, units: number): void => {
    const to = (here.end / size + BigInt(segments)) * size + BigInt(units) * unit;
    if (to > here.end) here.end = to;
  };
  for (const [hour, one] of happenings.entries()) {
    const at = Date.UTC(2026, 10, 1, hour);
    if (one.kind === 'write') write(one.segments, one.rest);
    else if (one.kind === 'anchor') {
      history.anchors.push(anchorOf(here, at));
      here.end += 8n;
    } else if (one.kind === 'backup') {
      const start = here.end + 8n;
      here.end = start + 8n;
      write(one.segments, one.rest);
      history.backups.push(backupOf(here, start, at, one.error, segmentBytes));
      // A backup ends its last segment.
      write(1, 0);
    } else {
      const parent = lines[Math.max(0, lines.length - 1 - one.of)] as Line;
      const written = parent.end - parent.from;
      const notes = [
        ...history.anchors,
        ...history.backups.map(({ timeline, stopLsn }) => ({ timeline, lsn: stopLsn })),
      ]
        .filter(({ timeline, lsn }) => timeline === parent.id && positionOf(lsn) > parent.from)
        .map(({ lsn }) => positionOf(lsn));
      const note = one.atNote ? notes[one.back % Math.max(1, notes.length)] : undefined;
      const fork = note ?? parent.end - (written * BigInt(one.back)) / 4001n;
      if (fork === parent.end && fork % size !== 0n)
        history.partials.push(nameOf(parent.id, Number(fork / size), segmentBytes));
      here = { id: lines.length + 1, parent, from: fork, end: fork + 40n };
      lines.push(here);
    }
  }
  for (const line of lines)
    for (let number = Number(line.from / size); BigInt(number + 1) * size <= line.end; number += 1)
      history.archived.add(key(line.id, number));
  return history;
}

function anchorOf(line: Line, at: number): Anchor {
  const time = new Date(at).toISOString();
  const { id: timeline, end } = line;
  return { lsn: lsnOf(end), timeline, at: time, systemIdentifier, source: 'standby db2', tables: [] };
}

function backupOf(line: Line, start: bigint, at: number, error: boolean, segmentBytes: number): BackupInfo {
  const size = BigInt(segmentBytes);
  const startedAt = new Date(at).toISOString();
  const stoppedAt = new Date(at + 60_000).toISOString();
  return {
    label: `${startedAt.slice(0, 13).replace(/\D/g, '')}F`,
    type: 'full',
    startedAt,
    stoppedAt,
    startLsn: lsnOf(start),
    stopLsn: lsnOf(line.end),
    startWal: nameOf(line.id, Number(start / size), segmentBytes),
    // The segment of the last byte.
    stopWal: nameOf(line.id, Number((line.end - 1n) / size), segmentBytes),
    timeline: line.id,
    bytes: 1,
    repositoryBytes: 1,
    error,
    tablespaces: [],
  };
}

/** The line and its ancestors, oldest first, each with where the way leaves it. */
export function wayTo(history: TrueHistory, timeline: number): { line: Line; until?: bigint }[] {
  const way: { line: Line; until?: bigint }[] = [];
  let line: Line | undefined = history.lines[timeline - 1];
  let until: bigint | undefined;
  while (line !== undefined) {
    way.unshift({ line, ...(until === undefined ? {} : { until }) });
    until = line.from;
    line = line.parent;
  }
  return way;
}

/** The timeline under whose name a segment holds what happened on the way: the last that had begun by its end. */
export function ownerOf(history: TrueHistory, timeline: number, number: number): number {
  const size = BigInt(history.segmentBytes);
  return wayTo(history, timeline).findLast(({ line }) => line.from / size <= BigInt(number))?.line.id ?? 1;
}

export function isArchived(history: TrueHistory, timeline: number, number: number): boolean {
  return history.archived.has(key(timeline, number));
}

/** Removes what a fault removes; `picks` choose among what is there. */
export function lose(history: TrueHistory, picks: readonly number[]): [timeline: number, number: number][] {
  return picks.flatMap((pick) => {
    const all = [...history.archived];
    const lost = all[pick % Math.max(1, all.length)];
    if (lost === undefined) return [];
    history.archived.delete(lost);
    const [timeline = 0, number = 0] = lost.split('/').map(Number);
    return [[timeline, number] as [number, number]];
  });
}

/** As pgBackRest expires: older backups, and all WAL before the start of the oldest that is kept. */
export function expireBefore(history: TrueHistory, kept: BackupInfo): void {
  const first = numberIn(kept.startWal, history.segmentBytes);
  history.backups = history.backups.filter(({ stoppedAt }) => stoppedAt >= kept.stoppedAt);
  for (const one of history.archived) if (Number(one.split('/')[1]) < first) history.archived.delete(one);
}

export function numberIn(name: string, segmentBytes: number): number {
  const perLog = 2 ** 32 / segmentBytes;
  return Number.parseInt(name.slice(8, 16), 16) * perLog + Number.parseInt(name.slice(16), 16);
}

/** The archive as its listing shows it. */
export function archiveOf(history: TrueHistory, without: readonly number[] = []): Repository {
  const { segmentBytes, backups } = history;
  const size = BigInt(segmentBytes);
  const files: ArchivedFile[] = [...history.archived].map((one) => {
    const [timeline = 0, number = 0] = one.split('/').map(Number);
    const name = nameOf(timeline, number, segmentBytes);
    return { name: `15-1/${name.slice(0, 16)}/${name}-${'a'.repeat(40)}.zst`, bytes: 9 };
  });
  const texts = Object.fromEntries(
    history.lines
      .filter(({ parent, id }) => parent !== undefined && !without.includes(id))
      .map(({ id }) => [`${hex(id)}.history`, historyText(history, id)]),
  );
  files.push(...Object.keys(texts).map((name) => ({ name: `15-1/${name}`, bytes: 9 })));
  files.push(
    ...history.partials.map((name) => ({
      name: `15-1/${name.slice(0, 16)}/${name}.partial-${'b'.repeat(40)}.zst`,
      bytes: 9,
    })),
    ...backups.map(({ startWal, startLsn }) => ({
      name: `15-1/${startWal.slice(0, 16)}/${startWal}.${hex(positionOf(startLsn) % size)}.backup`,
      bytes: 9,
    })),
  );
  const listing = readArchiveListing(files, texts, segmentBytes);
  return { ...listing, backups, segmentBytes, systemIdentifier };
}

function historyText(history: TrueHistory, timeline: number): string {
  return wayTo(history, timeline)
    .flatMap(({ line, until }) => (until === undefined ? [] : `${line.id}\t${lsnOf(until)}\tno recovery target\n`))
    .join('');
}

export function positionOf(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
