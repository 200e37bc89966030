import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLsn, formatLsn } from '../../../recovery/lsn.ts';
import {
  nextSegment,
  parseSegment,
  segmentAt,
  segmentEnd,
  segmentLastByte,
  segmentName,
  segmentStart,
} from '../../../recovery/segments.ts';

const megabyte = 1024 * 1024;
const size = fc.integer({ min: 0, max: 10 }).map((power) => megabyte * 2 ** power);
const timeline = fc.integer({ min: 1, max: 2 ** 31 });
const position = fc.bigInt({ min: 0n, max: (1n << 62n) - 1n });

describe('WAL segments', () => {
  // SELECT pg_walfile_name('0/59E1A40') and so on, on servers with these sizes.
  test.each([
    ['0/59E1A40', 1, 16, '000000010000000000000005'],
    ['0/C000A0', 2, 1, '00000002000000000000000C'],
    ['16/B374D848', 1, 16, '0000000100000016000000B3'],
    ['1/0', 3, 1024, '000000030000000100000000'],
    ['0/FFFFFFFF', 3, 1024, '000000030000000000000003'],
  ])('%s on timeline %i lies, with segments of %i MB, in %s', (lsn, on, megabytes, name) => {
    expect(segmentAt(lsn, on, megabytes * megabyte)).toBe(name);
  });

  test('the last byte of a segment lies in it, and the one after it does not', () => {
    expect(segmentLastByte('000000010000000000000005', 16 * megabyte)).toBe('0/5FFFFFF');
    expect(segmentAt('0/5FFFFFF', 1, 16 * megabyte)).toBe('000000010000000000000005');
    expect(segmentEnd('000000010000000000000005', 16 * megabyte)).toBe('0/6000000');
  });

  test('the next one carries over into the upper half', () => {
    expect(nextSegment('0000000100000000000000FF', 16 * megabyte)).toBe('000000010000000100000000');
    expect(nextSegment('000000010000000000000003', 1024 * megabyte)).toBe('000000010000000100000000');
    expect(nextSegment('0000000100000000000000FF', megabyte)).toBe('000000010000000000000100');
  });

  test('names come back from their numbers for every size', () => {
    fc.assert(
      fc.property(size, timeline, position, (bytes, on, at) => {
        const name = segmentAt(formatLsn(at), on, bytes);
        expect(segmentName(parseSegment(name, bytes), bytes)).toBe(name);
        expect(parseSegment(name, bytes).timeline).toBe(on);
      }),
    );
  });

  test('a position lies from the start of its segment up to its end, which is the start of the next one', () => {
    fc.assert(
      fc.property(size, position, (bytes, at) => {
        const lsn = formatLsn(at);
        const name = segmentAt(lsn, 1, bytes);
        expect(compareLsn(segmentStart(name, bytes), lsn)).toBeLessThanOrEqual(0);
        expect(compareLsn(lsn, segmentEnd(name, bytes))).toBe(-1);
        expect(segmentStart(nextSegment(name, bytes), bytes)).toBe(segmentEnd(name, bytes));
      }),
    );
  });

  test('a name that cannot exist at this size is refused', () => {
    expect(() => parseSegment('000000010000000000000100', 16 * megabyte)).toThrow(
      'cannot exist with segments of 16 MB',
    );
  });

  test.each(['00000001000000000000000', '00000001000000000000000g', '0000000100000000000000ab', '00000002.history'])(
    'what is no segment is refused: %s',
    (name) => {
      expect(() => parseSegment(name, megabyte)).toThrow('is not the name of a WAL segment');
    },
  );

  test.each([0, 1000, 3 * megabyte, 2048 * megabyte, Number.NaN])(
    'a size that PostgreSQL does not know is refused: %d',
    (bytes) => {
      expect(() => segmentAt('0/1', 1, bytes)).toThrow('is not a size of a WAL segment');
    },
  );
});
