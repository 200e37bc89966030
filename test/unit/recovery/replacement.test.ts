import { expect, test } from 'vitest';
import { againstReplacement } from '../../../recovery/replacement.ts';

const sound = (host: string) => ({ host, systemIdentifier: '7', serverVersion: 150018, archiver: { waiting: 0 } });
const [primary, standby] = [sound('db1'), sound('db2')];

test('members of one cluster whose primary archives may be replaced, also by far behind', () => {
  expect(againstReplacement(primary, [standby, sound('db3')])).toEqual([]);
  expect(againstReplacement(primary, [])).toEqual([]);
});

test.each([
  [{ ...primary, archiver: { failing: '000000010000000000000009', waiting: 3 } }, standby, /db1 cannot archive .*0009/],
  [primary, { ...standby, systemIdentifier: '8' }, /db2 is of cluster 8, db1 of 7: correct database.members/],
  [primary, { ...standby, serverVersion: 160004 }, /db2 runs PostgreSQL 16, db1 15/],
])('what speaks against it is one sentence with what to do', (first, second, said) => {
  const against = againstReplacement(first, [second]);
  expect(against).toHaveLength(1);
  expect(against[0]).toMatch(said);
});
