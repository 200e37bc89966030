import { describe, expect, test } from 'vitest';
import {
  type Candidate,
  lagBytes,
  objections,
  objectionsToPromotion,
  slotNameFor,
} from '../../../recovery/switchover.ts';

const sound = {
  timeline: 3,
  history: 'ab',
  systemIdentifier: '7',
  serverVersion: 150018,
  archiving: { fit: true, why: 'it archives into stanza orders' },
  archiver: { waiting: 0 },
  synchronousStandbys: '',
  room: { wal: 1_000, senders: 10, slots: 10 },
  prepared: 0,
  freeBytes: 1_000_000,
};
const primary: Candidate = {
  ...sound,
  host: 'db1',
  role: 'primary',
  lsn: '0/5000100',
  slots: [{ name: 'db2', kind: 'physical', active: true }],
  streams: [{ application: 'db2', state: 'streaming', slot: 'db2' }],
};
const standby: Candidate = {
  ...sound,
  host: 'db2',
  role: 'standby',
  lsn: '0/5000000',
  receiver: { state: 'streaming', slot: 'db2' },
  replay: 'not paused',
  slots: [],
  streams: [],
};

describe('a standby may be promoted when its primary is gone', () => {
  test('whoever it streams from: nobody is left to do that', () => {
    expect(objectionsToPromotion({ ...standby, receiver: { state: 'none' } })).toEqual([]);
  });

  test.each([
    ['whose replay is paused', { replay: 'paused' }, /pg_wal_replay_resume/],
    ['that would not archive', { archiving: { fit: false, why: 'its archive_command is empty' } }, /would not archive/],
    ['that would wait for a standby', { synchronousStandbys: 'db9' }, /synchronous_standby_names = 'db9'/],
    ['without room', { freeBytes: 10 }, /less room than/],
  ] as const)('not one %s', (_what, odd, said) => {
    expect(objectionsToPromotion({ ...standby, ...odd }).join('; ')).toMatch(said);
  });
});

describe('two servers may change places', () => {
  test('when the standby streams from the primary, of the same history, and would archive', () => {
    expect(objections(primary, standby)).toEqual([]);
  });

  test.each([
    ['another cluster', { systemIdentifier: '8' }, /is of cluster 8, db1 7/],
    ['another timeline', { timeline: 2 }, /db2 is on timeline 2, db1 3/],
    ['the same number for another fork', { history: 'cd' }, /differ: they took the same number for different forks/],
    ['another major version', { serverVersion: 160004 }, /runs PostgreSQL 16, db1 15/],
    ['no WAL receiver', { receiver: { state: 'none' } }, /does not stream from its primary \(none\)/],
    ['a paused replay', { replay: 'paused' }, /replay on db2 is "paused"/],
    ['a slot that the primary does not know', { receiver: { state: 'streaming', slot: 'x' } }, /not from db1/],
    ['no archive', { archiving: { fit: false, why: 'its archive_command is empty' } }, /archive_command is empty/],
    ['synchronous standbys', { synchronousStandbys: 'db9' }, /commits would wait for a standby/],
    ['no room for a standby', { room: { wal: 1, senders: 0, slots: 0 } }, /lets no standby connect/],
    ['a disk that is nearly full', { freeBytes: 10 }, /less room than/],
  ] as const)('not with a standby of %s', (_what, odd, said) => {
    expect(objections(primary, { ...standby, ...odd }).join('; ')).toMatch(said);
  });

  test.each([
    ['that cannot archive', { archiver: { failing: '000000030000000000000005', waiting: 1 } }, /it fails with 0000/],
    ['with many files to archive', { archiver: { waiting: 40 } }, /40 files of db1 wait/],
    ['with prepared transactions', { prepared: 2 }, /2 prepared transactions/],
  ] as const)('not with a primary %s', (_what, odd, said) => {
    expect(objections({ ...primary, ...odd }, standby).join('; ')).toMatch(said);
  });

  test('where one of them has no history file, the timeline alone tells', () => {
    const { history: _none, ...without } = standby;
    expect(objections(primary, without)).toEqual([]);
  });
});

test('a standby that was asked later is not behind by less than nothing', () => {
  expect(lagBytes(primary, standby)).toBe(0x100);
  expect(lagBytes(standby, primary)).toBe(0);
});

test('a slot is named after its host, as far as PostgreSQL takes it', () => {
  expect(slotNameFor('db-east-1')).toBe('db_east_1');
});
