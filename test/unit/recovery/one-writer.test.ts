import { expect, test } from 'vitest';
import { judgeWriters, type MemberSays } from '../../../recovery/one-writer.ts';

const primary: MemberSays = { host: 'db1', role: 'primary', timeline: 3, lsn: '0/A000000', history: 'aa' };
const standby: MemberSays = { host: 'db2', role: 'standby', timeline: 3, lsn: '0/9FFFF00', history: 'aa' };

test('one primary whose standbys are on its line is well', () => {
  expect(judgeWriters([primary, standby])).toEqual({ verdict: 'well', facts: [] });
});

test('a member without its history file is not held against the others', () => {
  const { history: _history, ...without } = standby;
  expect(judgeWriters([primary, without]).verdict).toBe('well');
});

test.each<[what: string, members: MemberSays[], verdict: string, said: RegExp]>([
  [
    'two primaries',
    [primary, { ...standby, role: 'primary' }],
    'split',
    /db1 \(timeline 3\) and db2 \(timeline 3\) both say/,
  ],
  [
    'two histories under one number',
    [primary, { ...standby, history: 'bb' }],
    'split',
    /db1 and db2 are on timeline 3, and their history files differ/,
  ],
  [
    'one that cannot be asked',
    [primary, { host: 'db2', role: 'unknown', why: 'no host worker' }],
    'unclear',
    /db2 cannot be asked, and may be a primary: no host worker/,
  ],
  ['nobody who is the primary', [standby], 'unclear', /No member says/],
  [
    'a standby of another branch',
    [primary, { ...standby, timeline: 2, history: 'cc' }],
    'unclear',
    /db2 is on timeline 2, and db1 on 3/,
  ],
])('%s', (_what, members, verdict, said) => {
  const judged = judgeWriters(members);
  expect(judged.verdict).toBe(verdict);
  expect(judged.facts.join(' ')).toMatch(said);
});

test('a split is told alone: what else is unclear would only hide it', () => {
  const judged = judgeWriters([primary, { ...standby, role: 'primary' }, { host: 'db3', role: 'unknown' }]);
  expect(judged.facts).toHaveLength(1);
});
