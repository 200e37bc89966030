import { expect, test } from 'vitest';
import { progressOf } from '../../../activities/backups/pgbackrest-progress.ts';

const copied = [
  '2026-11-21 14:02:31.107 P02 DETAIL: backup file /var/lib/postgresql/15/main/base/5/1249 (448KB, 19.61%) checksum 9b1c51',
  '2026-11-21 14:02:31.109 P01 DETAIL: backup file /var/lib/postgresql/15/main/base/5/2619 (8KB, 19.40%) checksum 40e7a2',
];

test('the furthest percentage counts, and the bytes that it stands for', () => {
  expect(progressOf(1_000_000)(copied)).toEqual({ percent: 19.61, bytes: 196_100 });
});

test('without the size of the whole, bytes are not made up', () => {
  expect(progressOf()(copied)).toEqual({ percent: 19.61 });
});

test('before the first file nothing is said', () => {
  expect(progressOf(1_000_000)(['P00   INFO: restore command begin 2.45'])).toEqual({});
});

test('the attempt after a broken one begins anew', () => {
  const progress = progressOf();
  progress(copied);
  expect(progress(['P01 DETAIL: restore file base/1/1249 - exists and matches backup (8KB, 0.02%)'])).toEqual({
    percent: 0.02,
  });
});

test('lines that tell no percentage take nothing back', () => {
  const progress = progressOf();
  progress(copied);
  expect(progress(['P00   INFO: execute non-exclusive backup stop'])).toEqual({ percent: 19.61 });
});
