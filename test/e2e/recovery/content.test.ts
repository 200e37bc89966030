/** What a database can hold besides finished rows in its own directory: what of it comes back, and what people are told before. */
import { expect, test, vi } from 'vitest';
import { backup, ended, until, useEstate } from '../drill/scenario.ts';
import { ask, countRows } from '../observer.ts';
import { patientMs, withPeople } from '../switchover/scenario.ts';
import { asked, decide, expectPair, moment, say, serverOf, startRecovery } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const db1 = () => serverOf(scenario(), 'db1');
const db2 = () => serverOf(scenario(), 'db2');

test('a tablespace that is younger than the backup ends the recovery before anything is touched', async () => {
  await backup(scenario());
  // In the data directory itself: both servers are on one machine here, and would write to one place.
  const allowing = { ...db1(), ...{ options: '-c allow_in_place_tablespaces=on' } };
  await ask(allowing, "create tablespace younger location ''");
  await ask(db1(), 'create table elsewhere (number int) tablespace younger; insert into elsewhere values (1)');
  const handle = await startRecovery(scenario(), await moment(scenario()));
  expect(await decide(handle, 'abort', 'TablespaceUnsafe')).toContain('made after backup');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await countRows(db1(), 'elsewhere')).toBe(1);
  await expectPair(scenario(), 1);
  await ask(db1(), 'drop table elsewhere');
  await ask(db1(), 'drop tablespace younger');
  await backup(scenario());
});

test('a prepared transaction waits again as it did at the target, and unlogged tables are announced and come back empty', async () => {
  await ask(
    db1(),
    `create table balance (id int primary key, amount int); insert into balance values (1, 100);
     create unlogged table cache (number int); insert into cache select generate_series(1, 10)`,
  );
  await ask(db1(), "begin; update balance set amount = 50 where id = 1; prepare transaction 'transfer-17'");
  const target = await moment(scenario());
  // In the history that is given up, its manager has finished it.
  await ask(db1(), "commit prepared 'transfer-17'");
  await ask(db1(), 'delete from balance');

  const handle = await startRecovery(scenario(), target);
  const approval = await asked(handle);
  expect(approval.subject['unlogged tables, which come back empty']).toBe('public.cache');
  await say(handle, approval);
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });

  expect(await ask(db1(), 'select amount from balance')).toEqual([{ amount: 100 }]);
  expect(await countRows(db1(), 'cache')).toBe(0);
  expect(await ask(db1(), 'select gid from pg_prepared_xacts')).toEqual([{ gid: 'transfer-17' }]);
  const started = evidence.steps.find(({ name }) => name === 'Start the recovered primary');
  expect(started?.found).toContain("'transfer-17' in orders, of postgres");
  await ask(db1(), "commit prepared 'transfer-17'");
  await until('the standby has it too', async () => {
    const [row] = await ask<{ amount: number }>(db2(), 'select amount from balance');
    return row?.amount === 50 ? true : undefined;
  });
  await expectPair(scenario(), 2);
});
