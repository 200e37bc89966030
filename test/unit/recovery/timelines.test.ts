import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyName } from '../../../recovery/listing.ts';
import { soundness } from '../../../recovery/soundness.ts';
import { liesOn, pathTo, timelineAt } from '../../../recovery/timelines.ts';
import {
  backupAt,
  fileOf,
  historiesOf,
  lsnAt,
  type MadeUp,
  repositoryOf,
  segmentsOf,
  wholeRepository,
} from './made-up.ts';

const madeUp: fc.Arbitrary<MadeUp> = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 4 }), fc.nat(30))
  .map(([first, steps, rest]) => {
    const forks = steps.map((_, index) => first + steps.slice(0, index + 1).reduce((sum, step) => sum + step + 1, 0));
    return { first, forks, last: (forks.at(-1) ?? first) + rest };
  });

const service: MadeUp = { first: 3, forks: [10, 20], last: 25 };
const filesOf = (of: MadeUp): ReturnType<typeof fileOf>[] => segmentsOf(of).map(([on, number]) => fileOf(on, number));

describe('timelines', () => {
  test('an archive that nobody has damaged is sound, whatever its forks', () => {
    fc.assert(
      fc.property(madeUp, (of) => {
        expect(soundness(wholeRepository(of), of.forks.length + 1)).toEqual([]);
      }),
    );
  });

  test('a position lies on the newest timeline that had begun', () => {
    const path = pathTo(wholeRepository(service), 3);
    expect(timelineAt(path, lsnAt(5))).toBe(1);
    expect(timelineAt(path, lsnAt(10, 0x101))).toBe(2);
    expect(timelineAt(path, lsnAt(24))).toBe(3);
    expect(liesOn(path, { timeline: 1, lsn: lsnAt(10, 0x101) })).toBe(false);
    expect(liesOn(path, { timeline: 1, lsn: lsnAt(10) })).toBe(true);
    expect(liesOn(path, { timeline: 4, lsn: lsnAt(10) })).toBe(false);
  });

  test('a timeline that the archive does not hold is named', () => {
    expect(soundness(wholeRepository(service), 7)).toEqual([
      'timeline 7 is not in the archive, which holds timeline 1, 2, 3',
    ]);
  });

  test('a history file that is missing is named, also off the way', () => {
    const histories = historiesOf(service.forks);
    delete histories[historyName(2)];
    expect(soundness(repositoryOf(filesOf(service), histories), 3)).toEqual([
      '00000002.history is missing, so nobody can tell where timeline 2 comes from',
    ]);
  });

  test('a number that was used twice is found by segments from before the fork', () => {
    const files = [...filesOf(service), fileOf(2, 7)];
    expect(soundness(repositoryOf(files, historiesOf(service.forks)), 2)).toEqual([
      'timeline 2 begins at 0/A00100 but the archive holds 000000020000000000000007 of it: the number was used twice',
    ]);
  });

  test('a fork that its parent never reached is found', () => {
    const files = filesOf(service).filter(
      ({ name }) => !/000000010000000000000008|000000010000000000000009/.test(name),
    );
    expect(soundness(repositoryOf(files, historiesOf(service.forks)), 2)).toEqual([
      'timeline 2 leaves timeline 1 at 0/A00100, which the archive holds only up to 0/800000',
    ]);
  });

  test('a timeline that leaves its parent before the parent began is found', () => {
    const histories = historiesOf(service.forks);
    histories[historyName(3)] = `1\t${lsnAt(10)}\tx\n2\t${lsnAt(9)}\tx\n`;
    expect(soundness(repositoryOf(filesOf(service), histories), 3)).toContain(
      'timeline 3 says that timeline 2 was left at 0/900100, before it began at 0/A00100',
    );
  });

  test('histories that contradict each other are found', () => {
    const histories = historiesOf(service.forks);
    histories[historyName(3)] = `1\t${lsnAt(12)}\tx\n2\t${lsnAt(20)}\tx\n`;
    expect(soundness(repositoryOf(filesOf(service), histories), 3)).toEqual([
      'timelines 2 and 3 contradict each other: 00000003.history says 1 until 0/C00100, 00000002.history says 1 until 0/A00100',
    ]);
  });

  const withoutForkSegment = filesOf(service).filter(({ name }) => !name.includes('000000020000000000000014'));
  const late = { ...service, forks: [10], last: 9 };

  test('a history without its first segment is a trap, even when nothing else has arrived of the timeline', () => {
    expect(soundness(repositoryOf(filesOf(late), historiesOf(late.forks)), 2)).toEqual([
      "00000002.history is in the archive, but the timeline's first segment 00000002000000000000000A is not",
    ]);
    expect(soundness(repositoryOf(filesOf(late), historiesOf(late.forks)), 1)).toEqual([]);
  });

  test('retention may remove the first segment of a timeline once a backup lies after it', () => {
    const files = withoutForkSegment.filter(({ name }) => !/00000001000000|00000002000000/.test(name));
    const expired = repositoryOf(files, historiesOf(service.forks), [backupAt(22, 3)]);
    expect(soundness(expired, 3)).toEqual([]);
  });
});
