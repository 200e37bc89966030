/** An application that is told by a command when to stop, when to go on, and whether it works: what that command saw, by its own notes. */
import { beforeAll, expect, test, vi } from 'vitest';
import { hosts } from '../../../lab/layout.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import { ask, countRows } from '../observer.ts';
import { condition, patientMs, stillServed, useCustomer, withPeople } from '../switchover/scenario.ts';
import {
  asked,
  commit,
  decide,
  expectNothingBeside,
  expectPair,
  reject,
  serverOf,
  setAside,
  startRecovery,
} from './scenario.ts';
import { type Told, tellByCommand } from './told.ts';

vi.setConfig({ testTimeout: 2 * patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);
let told: Told;
/** Somebody has deleted the 1,000 rows of a table, and this is said of the moment before. */
let target = '';

beforeAll(async () => {
  await ask(
    serverOf(scenario(), 'db1'),
    `create table precious (number int); grant select on precious to orders; create table later (number int);
     insert into precious select generate_series(1, 1000)`,
  );
  const deletion = await commit(scenario(), 'delete from precious');
  await commit(scenario(), 'insert into later values (1)');
  target = `before transaction ${deletion}`;
  told = await tellByCommand(scenario(), 'precious');
});

/** Nothing of the mistake is taken back, and nothing of what came after it is lost. */
async function expectAllIsThere(): Promise<void> {
  for (const host of hosts) {
    await until(`${host} holds what came after the target`, async () =>
      (await countRows(serverOf(scenario(), host), 'later')) === 1 ? true : undefined,
    );
    expect(await countRows(serverOf(scenario(), host), 'precious')).toBe(0);
    expect(await setAside(scenario(), host)).toEqual([]);
  }
  await expectNothingBeside(scenario());
  await stillServed(scenario(), customer());
}

test('an application that does not stop holds the recovery up before the front door is closed; given up, it is told to go on', async () => {
  await stillServed(scenario(), customer());
  const before = await condition(scenario());
  await told.fail('stop');
  const handle = await startRecovery(scenario(), target);
  const message = await decide(handle, 'abort', 'SmokeFailed', () => told.mend('stop'));
  expect(message).toContain('it does not stop');
  expect(message).toContain('run it by hand on db2');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await told.notes()).toEqual([
    { word: 'stop', door: '1|0', tried: '', beside: 0 },
    { word: 'go', door: '1|0', tried: '', beside: 0 },
  ]);
  expect(await condition(scenario())).toEqual(before);
  await expectAllIsThere();
});

test('it stops before anything is restored, and after a no it goes on once it is let in to the old database again', async () => {
  const before = await condition(scenario());
  const handle = await startRecovery(scenario(), target);
  const approval = await asked(handle);
  expect(await told.notes()).toEqual([{ word: 'stop', door: '1|0', tried: '', beside: 0 }]);
  await reject(handle, approval, 'the rows were meant to go');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await told.notes()).toEqual([{ word: 'go', door: '1|0', tried: '', beside: 0 }]);
  expect(await condition(scenario())).toEqual(before);
  await expectAllIsThere();
});

test('it does not work on the recovered database: nobody has been let in, and given up the old one is back before it goes on', async () => {
  await told.fail('try');
  const handle = await startRecovery(scenario(), target);
  await sayYes(handle);
  const message = await decide(handle, 'abort', 'SmokeFailed', () => told.mend('try'));
  expect(message).toContain('it does not try');
  expect(message).toContain('nobody is let in yet');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [], setAside: [] });
  expect(await told.notes()).toMatchObject([
    { word: 'stop', door: '1|0', beside: 0 },
    { word: 'try', door: 'closed', tried: '2|1000' },
    { word: 'go', door: '3|0', beside: 0 },
  ]);
  await expectPair(scenario(), 3);
  await expectAllIsThere();
});

test('once it is mended and works, the same recovery goes on, and it is let go into the recovered database', async () => {
  await told.fail('try');
  const handle = await startRecovery(scenario(), target);
  await sayYes(handle);
  await decide(handle, 'retry', 'SmokeFailed', () => told.mend('try'));
  expect(await ended(handle)).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect(await told.notes()).toMatchObject([
    { word: 'stop', door: '3|0', beside: 0 },
    { word: 'try', door: 'closed', tried: '4|1000' },
    { word: 'try', door: 'closed', tried: '4|1000' },
    { word: 'go', door: '4|1000' },
  ]);
  await expectPair(scenario(), 4);
  for (const host of hosts) {
    expect(await countRows(serverOf(scenario(), host), 'precious')).toBe(1000);
    expect(await countRows(serverOf(scenario(), host), 'later')).toBe(0);
  }
  await expectNothingBeside(scenario());
});
