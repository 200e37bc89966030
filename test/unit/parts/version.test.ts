import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, newestFirst } from '../../../parts/version.ts';

test.each([
  ['2.45', '2.41'],
  ['2.100', '2.41'],
  ['15.18 (Debian 15.18-0+deb12u1)', '15'],
  ['go1.26.8', '1.21'],
  ['v1.7.0', '1.6.9'],
])('%s is newer than %s', (newer, older) => {
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
  expect(compareVersions(older, newer)).toBeLessThan(0);
});

test('missing numbers count as nought', () => {
  expect(compareVersions('15', '15.0.0')).toBe(0);
});

test('versions are compared number by number, not letter by letter', () => {
  const version = fc.array(fc.nat(99), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(version, fc.nat(3), fc.integer({ min: 1, max: 99 }), (numbers, at, more) => {
      const place = at % numbers.length;
      const raised = numbers.map((number, index) => (index === place ? number + more : number));
      expect(compareVersions(raised.join('.'), numbers.join('.'))).toBeGreaterThan(0);
    }),
  );
});

test('directories are ordered by their version, newest first', () => {
  expect(newestFirst(['9.6', '15', '17', '16'])).toEqual(['17', '16', '15', '9.6']);
});
