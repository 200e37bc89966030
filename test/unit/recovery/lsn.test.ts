import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLsn, formatLsn, lsnDistance, parseLsn } from '../../../recovery/lsn.ts';

const position = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

describe('LSN', () => {
  test('is read and written as PostgreSQL prints it', () => {
    expect(parseLsn('0/59E1A40')).toBe(0x59e1a40n);
    expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
    expect(formatLsn(0x1600000000n)).toBe('16/0');
  });

  test('comes back from its text for every position', () => {
    fc.assert(fc.property(position, (at) => parseLsn(formatLsn(at)) === at));
  });

  test('sorts by position and not by text', () => {
    expect(['0/10', '1/0', '0/9', '0/FFFFFFFF'].sort(compareLsn)).toEqual(['0/9', '0/10', '0/FFFFFFFF', '1/0']);
    fc.assert(
      fc.property(position, position, (a, b) => {
        expect(Math.sign(compareLsn(formatLsn(a), formatLsn(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test('differences are bytes, also over the border of 4 GB', () => {
    expect(lsnDistance('0/FFFFFFFF', '1/1')).toBe(2);
    expect(lsnDistance('1/1', '0/FFFFFFFF')).toBe(-2);
  });

  test.each(['', '0', '0/', '/0', '0/G', '0x0/1', '0/123456789', '0/1 ', '-0/1', '0/1/2'])(
    'what is no LSN is refused: "%s"',
    (text) => {
      expect(() => parseLsn(text)).toThrow(`"${text}" is not an LSN`);
    },
  );
});
