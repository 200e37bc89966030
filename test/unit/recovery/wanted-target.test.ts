import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLsn } from '../../../recovery/lsn.ts';
import { inUtc, microseconds } from '../../../recovery/moment.ts';
import { readWantedTarget, sayWantedTarget, type WantedTarget, wrongTarget } from '../../../recovery/wanted-target.ts';

const wrongIn = (text: string): string => {
  const read = readWantedTarget(text);
  if ('wrong' in read) return read.wrong;
  throw new Error(`"${text}" was understood as ${JSON.stringify(read)}`);
};

const inclusive = fc.boolean();
const aTime = fc
  .record({
    at: fc.date({ min: new Date('1990-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
    micros: fc.nat(999),
  })
  .map(({ at, micros }): WantedTarget => {
    const text = at.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
    return { kind: 'time', at: inUtc(text) };
  });
const aPosition = fc
  .record({ lsn: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), inclusive })
  .map(({ lsn, inclusive }): WantedTarget => ({ kind: 'lsn', lsn: formatLsn(lsn), inclusive }));
const aTransaction = fc
  .record({ transaction: fc.integer({ min: 3, max: 2 ** 32 - 1 }), inclusive })
  .map((one): WantedTarget => ({ kind: 'transaction', ...one }));
const aName = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 63 })
  .filter((name) => name.trim() === name)
  .map((name): WantedTarget => ({ kind: 'name', name }));

describe('a target that a person writes', () => {
  test.each([
    ['2026-11-21T14:00:00.123456Z', { kind: 'time', at: '2026-11-21T14:00:00.123456Z' }],
    ['2026-11-21T16:00+02:00', { kind: 'time', at: '2026-11-21T14:00:00Z' }],
    ['0/59E1A40', { kind: 'lsn', lsn: '0/59E1A40', inclusive: true }],
    ['before 1/0a0000f8', { kind: 'lsn', lsn: '1/A0000F8', inclusive: false }],
    [' Before  transaction 4711 ', { kind: 'transaction', transaction: 4711, inclusive: false }],
    ['transaction 4711', { kind: 'transaction', transaction: 4711, inclusive: true }],
    ['name before 0/59E1A40, by hand', { kind: 'name', name: 'before 0/59E1A40, by hand' }],
  ])('"%s" is understood', (text, target) => {
    expect(readWantedTarget(text)).toEqual(target);
    expect(wrongTarget(text)).toBeUndefined();
  });

  test('said in words, it is understood as the same again', () => {
    fc.assert(
      fc.property(fc.oneof(aTime, aPosition, aTransaction, aName), (target) => {
        expect(readWantedTarget(sayWantedTarget(target))).toEqual(target);
      }),
    );
  });

  test('with any offset, is the same moment in UTC', () => {
    const offset = fc.integer({ min: -14 * 60, max: 14 * 60 }).filter((minutes) => Math.abs(minutes) >= 60);
    fc.assert(
      fc.property(aTime, offset, (target, minutes) => {
        const utc = microseconds(sayWantedTarget(target));
        const there = new Date(utc / 1_000 - (utc % 1_000) / 1_000 + minutes * 60_000).toISOString().slice(0, 19);
        const words = `${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
        const fraction = String(utc % 1_000_000).padStart(6, '0');
        expect(readWantedTarget(`${there}.${fraction}${minutes < 0 ? '-' : '+'}${words}`)).toEqual(target);
      }),
    );
  });

  test.each([
    ['', 'is blank: write a moment'],
    ['latest', 'no target that Lifeboat knows ("latest"): write a moment with its offset'],
    ['2026-11-21T14:00:00', 'a time without an offset ("2026-11-21T14:00:00"): write 2026-11-21T14:00:00Z'],
    ['2026-11-21 14:00:00', 'write 2026-11-21T14:00:00Z'],
    ['2026-02-30T14:00:00Z', 'names a day that the calendar does not have'],
    ['2026-11-21T14:00:00.1234567Z', 'must be a time with its offset'],
    ['before 2026-11-21T14:00:00Z', 'write the last moment whose commits are to be there'],
    ['0/59E1A40Z', 'is no LSN ("0/59E1A40Z"): write two hexadecimal numbers such as 0/59E1A40'],
    ['0/0', 'which no record has'],
    ['4711', 'write "transaction 4711"'],
    ['before 4711', 'write "before transaction 4711"'],
    ['transaction', 'write its number'],
    ['transaction -4', 'names no transaction ("-4")'],
    ['transaction 2', 'a number that no transaction has'],
    ['before transaction 4294972007', 'write the lower 32, "before transaction 4711"'],
    ['transaction 99999999999999999999', 'write its number'],
    ['name', 'names no restore point'],
    ['before name deploy', 'write "name deploy"'],
    [`name ${'ä'.repeat(32)}`, 'of 64 bytes: PostgreSQL allows 63'],
    ['name a\nb', 'control characters'],
  ])('"%s" is refused, and it says what may be written', (text, words) => {
    expect(wrongIn(text)).toContain(words);
    expect(wrongTarget(text)).toBe(wrongIn(text));
  });

  test('is understood or refused with a reason, whatever it is', () => {
    const near = fc.stringMatching(/^(before )?(name|transaction|0\/|2026-)?[ -~]*$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const read = readWantedTarget(text);
        if ('wrong' in read) expect(read.wrong).not.toBe('');
        else expect(readWantedTarget(sayWantedTarget(read))).toEqual(read);
      }),
    );
  });

  test('is a text', () => {
    expect(wrongTarget(4711)).toContain('must be a text: write a moment');
  });
});
