import { describe, expect, test } from 'vitest';
import type { Repository } from '../../../recovery/archive.ts';
import {
  type Around,
  besideOf,
  divergence,
  isWell,
  type Past,
  type PrimaryKept,
  strays,
  wayBack,
} from '../../../recovery/rebuild.ts';
import { objections } from '../../../recovery/ways-back.ts';

const MB = 1024 ** 2;
const GB = 1024 ** 3;

const primary: PrimaryKept = {
  host: 'db1',
  timeline: 3,
  ancestors: [
    { timeline: 1, forkLsn: '0/5000000' },
    { timeline: 2, forkLsn: '0/9000100' },
  ],
  lsn: '0/C000000',
  systemIdentifier: '7',
  serverVersion: 150018,
  segmentBytes: 16 * MB,
  keepsFrom: '0/B000000',
  slot: { active: true, lost: false, physical: true },
  fullPageWrites: true,
  letsRead: true,
  bytes: GB,
  tablespaces: 0,
};

const past: Past = {
  systemIdentifier: '7',
  timeline: 3,
  ancestors: primary.ancestors,
  reached: '0/A500000',
  needsFrom: '0/A000000',
  as: 'standby',
  orderly: true,
  checksums: true,
  walLogHints: false,
  left: { lsn: '0/A000028', timeline: 3, systemIdentifier: '7' },
};

const range = (first: string, last: string) => ({ first, last, count: 1 });

const repository: Repository = {
  backups: [
    {
      label: '20261121-135502F',
      type: 'full',
      startedAt: '2026-11-21T13:55:02Z',
      stoppedAt: '2026-11-21T13:55:08Z',
      startLsn: '0/A000028',
      stopLsn: '0/A000138',
      startWal: '00000003000000000000000A',
      stopWal: '00000003000000000000000A',
      timeline: 3,
      bytes: GB,
      repositoryBytes: GB,
      error: false,
      tablespaces: [],
    },
  ],
  timelines: [
    {
      id: 1,
      ancestors: [],
      hasHistory: false,
      ranges: [range('000000010000000000000001', '000000010000000000000005')],
    },
    {
      id: 2,
      parent: 1,
      forkLsn: '0/5000000',
      ancestors: [{ timeline: 1, forkLsn: '0/5000000' }],
      hasHistory: true,
      ranges: [range('000000020000000000000005', '000000020000000000000008')],
    },
    {
      id: 3,
      parent: 2,
      forkLsn: '0/9000100',
      ancestors: primary.ancestors,
      hasHistory: true,
      ranges: [range('000000030000000000000009', '00000003000000000000000B')],
    },
  ],
  segmentBytes: 16 * MB,
  oddities: [],
  systemIdentifier: '7',
};

function around(
  changes: { past?: Partial<Past>; primary?: Partial<PrimaryKept> } & Partial<Omit<Around, 'primary'>> = {},
): Around {
  const { past: ofPast, primary: ofPrimary, ...rest } = changes;
  return {
    standby: {
      host: 'db2',
      directory: 'there',
      runs: 'no',
      past: { ...past, ...ofPast },
      serverVersion: 150018,
      freeBytes: 100 * GB,
    },
    primary: { ...primary, ...ofPrimary },
    archive: { repository },
    place: { freeBytes: 100 * GB },
    keepFree: GB,
    ...rest,
  };
}

describe('where a standby has left the line of the primary', () => {
  const on = (timeline: number, forks: string[], reached: string, as: Past['as'] = 'standby') =>
    divergence(
      { timeline, ancestors: forks.map((forkLsn, index) => ({ timeline: index + 1, forkLsn })), reached, as },
      primary,
    );

  test.each([
    ['on the same timeline, behind', on(3, ['0/5000000', '0/9000100'], '0/A000000'), undefined],
    [
      'on the same timeline, ahead of where the primary writes',
      on(3, ['0/5000000', '0/9000100'], '0/D000000'),
      '0/C000000',
    ],
    ['on the one before, short of the fork', on(2, ['0/5000000'], '0/8000000'), undefined],
    ['a standby that has replayed just up to the fork', on(2, ['0/5000000'], '0/9000100'), undefined],
    ['an old primary whose last record begins at the fork', on(2, ['0/5000000'], '0/9000100', 'primary'), '0/9000100'],
    ['an old primary that wrote past the fork', on(2, ['0/5000000'], '0/9000200', 'primary'), '0/9000100'],
    [
      'promoted to a timeline of its own, from the newest',
      on(4, ['0/5000000', '0/9000100', '0/B000000'], '0/B000060'),
      '0/B000000',
    ],
    ['the same number, forked earlier', on(3, ['0/5000000', '0/8000000'], '0/8500000'), '0/8000000'],
    ['the same number, forked later', on(3, ['0/5000000', '0/9500000'], '0/9600000'), '0/9000100'],
    ['on the first, past the fork', on(1, [], '0/6000000'), '0/5000000'],
  ])('%s', (_what, left, expected) => {
    expect(left).toBe(expected);
  });
});

test('nothing speaks against the cheapest way for one that is only behind, and a rewind would be of no use', () => {
  const against = objections(around());
  expect(against).toMatchObject({ reattach: [], restore: [], basebackup: [] });
  expect(against.rewind.join()).toContain('has not left the line');
});

describe('a re-attach is ruled out', () => {
  test.each([
    ['by a directory that is gone', around({ standby: { ...around().standby, directory: 'gone' } }), /is gone/],
    [
      'by a primary that crashed: it may hold what nobody else has',
      around({
        past: {
          as: 'primary',
          orderly: false,
          timeline: 2,
          ancestors: past.ancestors.slice(0, 1),
          reached: '0/8000000',
        },
      }),
      /not in order/,
    ],
    [
      'by WAL that archive and primary lack',
      around({
        past: { needsFrom: '0/3000000', timeline: 1, ancestors: [], reached: '0/3500000' },
        archive: { why: 'away' },
      }),
      /8 segments that it needs are neither in the archive \(away\) nor on db1/,
    ],
    [
      'by a fork whose segment is not archived: it would go on with the old branch',
      around({
        past: { timeline: 2, ancestors: past.ancestors.slice(0, 1), reached: '0/9000000', needsFrom: '0/9000000' },
        primary: { keepsFrom: '0/9000000' },
        archive: { why: 'away' },
      }),
      /000000030000000000000009 is not in the archive/,
    ],
  ])('%s', (_what, given, said) => {
    expect(objections(given).reattach.join()).toMatch(said);
  });

  test('not by segments that only the primary still has', () => {
    const empty = { ...repository, timelines: repository.timelines.map((one) => ({ ...one, ranges: [] })) };
    const given = around({ primary: { keepsFrom: '0/A000000' }, archive: { repository: empty } });
    expect(objections(given).reattach).toEqual([]);
  });
});

describe('a rewind is ruled out', () => {
  const left = {
    timeline: 4,
    ancestors: [...primary.ancestors, { timeline: 3, forkLsn: '0/B000000' }],
    reached: '0/B500000',
  };
  test('by nothing, where all is as pg_rewind needs it', () => {
    expect(objections(around({ past: left })).rewind).toEqual([]);
  });
  test.each([
    ['while it runs', around({ past: left, standby: { ...around({ past: left }).standby, runs: 'standby' } }), /runs/],
    ['after a crash', around({ past: { ...left, orderly: false } }), /not shut down in order/],
    ['without checksums and hints', around({ past: { ...left, checksums: false } }), /wal_log_hints/],
    ['without full page writes', around({ past: left, primary: { fullPageWrites: false } }), /full_page_writes/],
    ['without the right to read files', around({ past: left, primary: { letsRead: false } }), /may not read the files/],
    [
      'by one number for two timelines',
      around({
        past: {
          ancestors: [
            { timeline: 1, forkLsn: '0/5000000' },
            { timeline: 2, forkLsn: '0/8000000' },
          ],
          reached: '0/8500000',
        },
      }),
      /both are on timeline 3/,
    ],
  ])('%s', (_what, given, said) => {
    expect(objections(given).rewind.join()).toMatch(said);
  });
});

describe('a restore is ruled out', () => {
  const stranger = { ...repository, systemIdentifier: '8' };
  const [backup] = repository.backups;
  const elsewhere = { ...repository, backups: backup === undefined ? [] : [{ ...backup, timeline: 9 }] };
  test.each([
    ['without a repository', around({ archive: { why: 'it does not answer' } }), /it does not answer/],
    ['by the repository of another cluster', around({ archive: { repository: stranger } }), /another cluster \(8\)/],
    ['without a backup on the way', around({ archive: { repository: elsewhere } }), /no backup leads to timeline 3/],
    ['without room', around({ place: { freeBytes: GB } }), /no room/],
    [
      'where no directory can be made',
      around({ place: { elsewhere: 'another file system', freeBytes: 0 } }),
      /^another file system$/,
    ],
    [
      'where no rename is possible',
      around({ place: { fixed: 'it is a link', freeBytes: 100 * GB } }),
      /^it is a link$/,
    ],
  ])('%s', (_what, given, said) => {
    expect(objections(given).restore.join()).toMatch(said);
  });
});

test('a copy is ruled out by tablespaces, and where there is no room for it', () => {
  const full = { ...around().standby, freeBytes: GB };
  expect(objections(around({ primary: { tablespaces: 1 } })).basebackup.join()).toMatch(/tablespaces/);
  expect(objections(around({ standby: full })).basebackup.join()).toMatch(/no room/);
});

test('only one that streams, on the line, from its slot, is well', () => {
  const streams = { ...around().standby, runs: 'standby', receiver: 'streaming' } as const;
  expect(isWell(around({ standby: streams }))).toBe(true);
  expect(isWell(around({ standby: { ...streams, receiver: 'not there' } }))).toBe(false);
  expect(isWell(around({ standby: streams, primary: { slot: { active: false, lost: false, physical: true } } }))).toBe(
    false,
  );
});

test('timelines of the archive that are newer than the primary’s are nobody’s', () => {
  const more = {
    ...repository,
    timelines: [...repository.timelines, { id: 4, ancestors: [], hasHistory: true, ranges: [] }],
  };
  expect(strays(around())).toEqual([]);
  expect(strays(around({ archive: { repository: more } }))).toEqual([4]);
});

test('pg_rewind reads backward: the segments of the standby alone, the first of them under the number of its own timeline, then those of both', () => {
  const ancestors = [...primary.ancestors, { timeline: 3, forkLsn: '0/B000100' }];
  const { own, common } = wayBack({ ...past, timeline: 4, ancestors, reached: '0/C000028' }, '0/B000100', 16 * MB);
  expect(own).toEqual(['00000004000000000000000C', '00000004000000000000000B']);
  expect(common.slice(0, 3)).toEqual([
    '00000003000000000000000A',
    '000000030000000000000009',
    '000000020000000000000008',
  ]);
});

test('what lies beside a data directory is named after it and the run, and leads nowhere else', () => {
  expect(besideOf('/srv/db2', 'before', 'orders-1-ab')).toBe('/srv/db2.before-orders-1-ab');
  for (const run of ['', '../x', 'a/b', '.']) expect(() => besideOf('/srv/db2', 'before', run)).toThrow(RangeError);
});
