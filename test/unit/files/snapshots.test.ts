import { describe, expect, test } from 'vitest';
import { chooseSnapshot, incompleteTag, type Snapshot, wrongSnapshot } from '../../../recovery/snapshots.ts';

const paths = ['/etc/nginx', '/etc/ssl/orders'];
const at = (day: number, more: Partial<Snapshot> = {}): Snapshot => ({
  id: `${day}`.padStart(2, '0').repeat(32),
  time: `2026-11-${`${day}`.padStart(2, '0')}T03:00:00.000Z`,
  paths: paths.toReversed(),
  host: 'web1',
  tags: [],
  ...more,
});
const all = [at(20), at(22), at(21)];
const choose = (wanted?: string, snapshots = all) => chooseSnapshot(snapshots, { paths, host: 'web1', wanted });

test('the newest is chosen, whatever their order and that of their paths', () => {
  expect(choose()).toBe(all[1]);
});

test('the newest until a moment, by any offset', () => {
  expect(choose('2026-11-21T05:00:00+02:00')).toBe(all[2]);
  expect(choose('2026-11-21T04:59:59+02:00')).toBe(all[0]);
  expect(choose('2026-11-20T02:59:59Z')).toEqual({
    none: 'the oldest snapshot is of 2026-11-20T03:00:00.000Z, which is after 2026-11-20T02:59:59Z',
  });
});

test('one by its id, also by the start of it', () => {
  expect(choose('22222222')).toBe(all[1]);
  expect(choose('ffffffff')).toEqual({ none: 'no snapshot is called ffffffff' });
  expect(choose('22222222', [...all, at(22)])).toEqual({ none: '2 snapshots begin with 22222222' });
});

test.each([
  ['fewer paths', { paths: ['/etc/nginx'] }],
  ['more paths', { paths: [...paths, '/srv'] }],
  ['another host', { host: 'web2' }],
])('one of %s is not it, not even by its id', (_what, more) => {
  expect(choose(undefined, [at(20), at(23, more)])).toEqual(at(20));
  expect(choose('23232323', [at(23, more)])).toMatchObject({
    none: expect.stringContaining('it is not of /etc/nginx'),
  });
});

test('one in which files are missing is taken only by its id', () => {
  const incomplete = at(23, { tags: ['lifeboat', incompleteTag] });
  expect(choose(undefined, [...all, incomplete])).toBe(all[1]);
  expect(choose('23232323', [...all, incomplete])).toBe(incomplete);
  expect(choose(undefined, [incomplete])).toEqual({
    none: 'in all 1 snapshots files are missing that could not be read',
  });
});

test('a repository that is empty says so', () => {
  expect(choose(undefined, [])).toMatchObject({ none: expect.stringContaining('the repository holds no snapshot') });
});

describe('a wish', () => {
  test.each(['a1b2c3d4', 'a'.repeat(64), '2026-11-21T14:00:00Z', '2026-11-21T14:00+02:00'])(
    '%s can be used',
    (value) => {
      expect(wrongSnapshot(value)).toBeUndefined();
    },
  );

  test.each([
    ['2026-11-21T14:00:00', 'without an offset'],
    ['2026-11-21 14:00', 'without an offset'],
    ['2026-02-30T14:00:00Z', 'the calendar does not have'],
    ['latest', 'must be the id of a snapshot'],
    ['a1b2c3', 'must be the id of a snapshot'],
    ['--all', 'must be the id of a snapshot'],
    [7, 'must be the id of a snapshot'],
  ])('%s cannot', (value, why) => {
    expect(wrongSnapshot(value)).toContain(why);
  });
});
