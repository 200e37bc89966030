import { describe, expect, test } from 'vitest';
import { runsOf } from '../../../recovery/gaps.ts';
import { neededToLocate } from '../../../recovery/needed.ts';
import { segmentName } from '../../../recovery/segments.ts';
import {
  backupAt,
  fileOf,
  historiesOf,
  lsnAt,
  type MadeUp,
  megabyte,
  repositoryOf,
  segmentsOf,
  wholeRepository,
} from './made-up.ts';

const service: MadeUp = { first: 3, forks: [10], last: 20 };
const name = (timeline: number, number: number) => segmentName({ timeline, number }, megabyte);
const backups = [backupAt(4, 1, 10), backupAt(12, 2, 40)];
const repository = wholeRepository(service, backups);
const all = [
  { first: name(1, 4), last: name(1, 9) },
  { first: name(2, 10), last: name(2, 20) },
];

describe('what is read to locate a target', () => {
  test('begins, for a moment and a position, with the backup that would be recovered', () => {
    const at = (minute: number) => ({ kind: 'time' as const, at: `2026-11-21T12:${minute}:00Z` });
    expect(neededToLocate(repository, 2, at(30))).toEqual({ segments: all, consistentFrom: lsnAt(5) });
    expect(neededToLocate(repository, 2, at(50)).segments).toEqual([{ first: name(2, 12), last: name(2, 20) }]);
    const position = (segment: number) => ({ kind: 'lsn' as const, lsn: lsnAt(segment), inclusive: false });
    expect(neededToLocate(repository, 2, position(9)).segments).toEqual(all);
    expect(neededToLocate(repository, 2, position(15)).segments).toEqual([{ first: name(2, 12), last: name(2, 20) }]);
  });

  test('begins, for a transaction and a name, with the oldest backup, wherever they may lie', () => {
    expect(neededToLocate(repository, 2, { kind: 'name', name: 'a' }).segments).toEqual(all);
    const transaction = { kind: 'transaction' as const, transaction: 700, inclusive: true };
    expect(neededToLocate(repository, 2, transaction).segments).toEqual(all);
  });

  test('is all there is where a moment lies before every backup, so that the refusal can tell from when on', () => {
    const early = { kind: 'time' as const, at: '2026-11-21T11:00:00Z' };
    expect(neededToLocate(repository, 2, early).segments).toEqual(all);
  });

  test('has what lies beyond a gap, as a run of its own', () => {
    const files = segmentsOf(service).filter(([, number]) => number !== 15);
    const gap = repositoryOf(
      files.map(([timeline, number]) => fileOf(timeline, number)),
      historiesOf(service.forks),
      backups,
    );
    const { segments } = neededToLocate(gap, 2, { kind: 'name', name: 'a' });
    expect(segments.at(-1)).toEqual({ first: name(2, 16), last: name(2, 20) });
  });
});

test('a run of segments goes on across a fork, and ends at a gap', () => {
  const names = [name(1, 8), name(1, 9), name(2, 10), name(2, 12)];
  expect(runsOf(names, megabyte)).toEqual([[name(1, 8), name(1, 9), name(2, 10)], [name(2, 12)]]);
  expect(runsOf([], megabyte)).toEqual([]);
});
