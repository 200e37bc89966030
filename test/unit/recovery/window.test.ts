import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RecoveryTarget } from '../../../recovery/archive.ts';
import { chooseAnchor, chooseBackup } from '../../../recovery/choice.ts';
import { gaps, segmentCount } from '../../../recovery/continuity.ts';
import { segmentName } from '../../../recovery/segments.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import {
  anchorAt,
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

const service: MadeUp = { first: 3, forks: [10, 20], last: 25 };
const name = (timeline: number, number: number): string => segmentName({ timeline, number }, megabyte);
const toLsn = (segment: number, timeline: number): RecoveryTarget => ({
  kind: 'lsn',
  lsn: lsnAt(segment),
  inclusive: true,
  timeline,
});
const toTime = (at: string, timeline = 1): RecoveryTarget => ({ kind: 'time', at, timeline });

/** The archive of `of` without these segments. */
function without(of: MadeUp, missing: [number, number][], backups = [backupAt(of.first)]) {
  const files = segmentsOf(of)
    .filter(([on, number]) => !missing.some(([timeline, gone]) => timeline === on && gone === number))
    .map(([on, number]) => fileOf(on, number));
  return repositoryOf(files, historiesOf(of.forks), backups);
}

describe('gaps', () => {
  test('a whole archive has none, over every fork', () => {
    expect(gaps(wholeRepository(service), backupAt(3), toLsn(25, 3))).toEqual([]);
    expect(segmentCount(wholeRepository(service), backupAt(3), toLsn(25, 3))).toBe(23);
  });

  test('exactly the segments that are missing on the way are named, and none off the way', () => {
    const scene = fc.record({
      start: fc.integer({ min: 3, max: 22 }),
      target: fc.integer({ min: 4, max: 25 }),
      missing: fc.subarray(segmentsOf(service)),
    });
    fc.assert(
      fc.property(scene, ({ start, target, missing }) => {
        fc.pre(target > start);
        const repository = without(service, missing, []);
        const onTimeline = (number: number): number => (number >= 20 ? 3 : number >= 10 ? 2 : 1);
        const expected = missing
          .filter(([timeline, number]) => timeline === onTimeline(number) && number >= start && number <= target)
          .sort((a, b) => a[1] - b[1])
          .map(([timeline, number]) => name(timeline, number));
        // An archive without any file of timeline 3 still has its history: the way is known.
        expect(gaps(repository, backupAt(start, onTimeline(start)), toLsn(target, 3))).toEqual(expected);
      }),
    );
  });

  test("the segment of a fork is wanted of the newer timeline: the older one's copy is the wrong branch", () => {
    const files = [...segmentsOf(service).filter(([on]) => on === 1), [1, 10] as [number, number]];
    const repository = repositoryOf(
      files.map(([on, number]) => fileOf(on, number)),
      historiesOf([10]),
    );
    expect(gaps(repository, backupAt(3), toLsn(10, 2))).toEqual([name(2, 10)]);
    expect(gaps(repository, backupAt(3), toLsn(10, 1))).toEqual([]);
  });

  test('for a moment, WAL after the start of a later backup is not wanted', () => {
    const backups = [backupAt(3, 1, 0), backupAt(7, 1, 30)];
    const repository = without({ first: 3, forks: [], last: 12 }, [[1, 10]], backups);
    expect(gaps(repository, backupAt(3, 1, 0), toTime('2026-11-21T12:20:00Z'))).toEqual([]);
    expect(gaps(repository, backupAt(3, 1, 0), toTime('2026-11-21T12:29:30Z'))).toEqual([name(1, 10)]);
  });

  test('a stranger with a name from the far future does not make a list without end', () => {
    const far = repositoryOf([fileOf(1, 3), fileOf(1, 2 ** 40)], {});
    expect(gaps(far, backupAt(3), toTime('2026-11-21T13:00:00Z'))).toHaveLength(1000);
  });
});

describe('the backup to start from', () => {
  const backups = [backupAt(3, 1, 0), backupAt(6, 1, 10), backupAt(13, 2, 20), backupAt(22, 3, 30)];
  const repository = wholeRepository(service, backups);

  test('is the newest one that ended before the target', () => {
    expect(chooseBackup(repository, toLsn(25, 3)).backup).toEqual(backups[3]);
    expect(chooseBackup(repository, toLsn(22, 3)).backup).toEqual(backups[2]);
    expect(chooseBackup(repository, toTime('2026-11-21T12:10:31Z', 3)).backup).toEqual(backups[1]);
    expect(chooseBackup(repository, toTime('2026-11-21T12:10:30.900Z', 3)).backup).toEqual(backups[0]);
  });

  test('is not on a branch that does not lead to the target', () => {
    const strayed = wholeRepository(service, [backupAt(3, 1, 0), backupAt(11, 1, 15)]);
    const choice = chooseBackup(strayed, toLsn(25, 3));
    expect(choice.backup?.label).toBe('20261121-120000F');
    expect(choice.passedOver).toEqual([
      {
        label: '20261121-121500F',
        why: 'it ended at 0/C00100 on timeline 1, which does not lead to timeline 3',
      },
    ]);
  });

  test('is not one with an error, and when none is left each is named with its reason', () => {
    const damaged = wholeRepository(service, [backupAt(3, 1, 0, { error: true }), backupAt(6, 1, 10)]);
    expect(chooseBackup(damaged, toLsn(5, 1))).toEqual({
      passedOver: [
        { label: '20261121-121000F', why: 'it ended at 0/700100, after the target 0/500100' },
        { label: '20261121-120000F', why: 'an error or damaged pages were found while it was taken' },
      ],
    });
  });
});

describe('the anchor on the way', () => {
  const backup = backupAt(3);
  const repository = wholeRepository(service, [backup]);
  const anchors = [anchorAt(5), anchorAt(8), anchorAt(15, 2)];

  test('is the newest between the end of the backup and the target', () => {
    expect(chooseAnchor(repository, anchors, backup, toLsn(9, 1))).toEqual(anchors[1]);
    expect(chooseAnchor(repository, anchors, backup, toLsn(25, 3))).toEqual(anchors[2]);
    expect(chooseAnchor(repository, anchors, backup, toLsn(5, 1))).toBeUndefined();
    expect(chooseAnchor(repository, [anchorAt(4, 1, { lsn: lsnAt(4, 0x99) })], backup, toLsn(9, 1))).toBeUndefined();
  });

  test('is of this cluster and on the way', () => {
    expect(
      chooseAnchor(repository, [anchorAt(8, 1, { systemIdentifier: '1' }), anchorAt(12, 1)], backup, toLsn(25, 3)),
    ).toBeUndefined();
  });

  test('lies well before a target in time, because commit times are not in the order of commits', () => {
    const known = anchorAt(8, 1, { lastCommitAt: '2026-11-21T12:09:55.000Z' });
    expect(chooseAnchor(repository, [known], backup, toTime('2026-11-21T12:10:00Z'))).toEqual(known);
    expect(chooseAnchor(repository, [known], backup, toTime('2026-11-21T12:09:59Z'))).toBeUndefined();
  });
});

describe('the recovery window', () => {
  const backups = [backupAt(3, 1, 0), backupAt(13, 2, 20)];

  test('reaches from the end of the oldest backup to the end of the newest segment', () => {
    const window = recoveryWindow(wholeRepository(service, backups), [anchorAt(15, 2), anchorAt(8)]);
    expect(window).toMatchObject({
      timeline: 3,
      from: { at: '2026-11-21T12:00:30.000Z', lsn: '0/400100', label: '20261121-120000F' },
      to: { segment: name(3, 25), lsn: '0/1A00000' },
      gaps: [],
    });
    expect(window.anchors.map(({ lsn }) => lsn)).toEqual([lsnAt(8, 0x200), lsnAt(15, 0x200)]);
  });

  test('is cut by a gap for the backups before it, and only for those', () => {
    const window = recoveryWindow(without(service, [[1, 8]], backups), [anchorAt(6), anchorAt(9)]);
    expect(window.gaps).toEqual([name(1, 8)]);
    expect(window.reaches.map(({ to }) => to?.segment)).toEqual([name(1, 7), name(3, 25)]);
    expect(window.anchors.map(({ lsn }) => lsn)).toEqual([lsnAt(6, 0x200)]);
  });

  test('does not begin with a backup whose own WAL is not whole', () => {
    const window = recoveryWindow(without(service, [[1, 4]], backups), []);
    expect(window.from?.label).toBe('20261121-122000F');
    expect(window.reaches[0]?.to).toBeUndefined();
  });

  test('is not stretched by what the old primary archived after the fork', () => {
    const strayed = [...segmentsOf({ first: 3, forks: [10], last: 12 }), [1, 10], [1, 40]] as [number, number][];
    const repository = repositoryOf(
      strayed.map(([on, number]) => fileOf(on, number)),
      historiesOf([10]),
      [backupAt(3)],
    );
    expect(recoveryWindow(repository, [])).toMatchObject({ to: { segment: name(2, 12) }, gaps: [] });
  });

  test('of an archive without a backup is empty', () => {
    expect(recoveryWindow(wholeRepository(service), [anchorAt(8)])).toEqual({
      timeline: 3,
      reaches: [],
      gaps: [],
      anchors: [],
    });
  });
});
