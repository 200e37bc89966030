/** People look at what was restored, change their mind, and say no: the service is as it was, bit for bit, and goes on. */
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import type { Approval } from '../../../evidence/people.ts';
import { hosts } from '../../../lab/layout.ts';
import { ended, useEstate } from '../drill/scenario.ts';
import { ask } from '../observer.ts';
import { condition, patientMs, stillServed, useCustomer, withPeople } from '../switchover/scenario.ts';
import {
  asked,
  commit,
  expectNothingBeside,
  moment,
  reject,
  say,
  serverOf,
  setAside,
  startRecovery,
} from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

/** Of the made-up customers, who have numbers below 0: as the approval says that a person can look. */
async function seenBeside({ shown }: Approval): Promise<number[]> {
  const [, words = ''] = /psql '([^']+)'/.exec(`${shown['see for yourself']}`) ?? [];
  const { programs, account } = scenario().estate.site;
  const sql = 'select number from customer where number < 0 order by number desc';
  const { stdout } = await execa(join(programs.postgresql, 'psql'), [words, '-AtXc', sql], {
    ...account.ids,
    cwd: '/',
    env: { PGOPTIONS: '-c statement_timeout=10s' },
  });
  return stdout.split('\n').filter(Boolean).map(Number);
}

const lost = ({ subject }: Approval) => Number(`${subject['transactions lost']}`.replaceAll(/\D/g, ''));

test('the target moves forward three times without a restore, then backward with one; then it is rejected', async () => {
  await ask(serverOf(scenario(), 'db1'), 'grant select on customer to pg_read_all_data');
  const moments: string[] = [];
  for (const number of [-1, -2, -3, -4]) {
    moments.push(await moment(scenario()));
    await commit(scenario(), `insert into customer values (${number})`);
  }
  const [earliest = '', ...later] = moments;
  await stillServed(scenario(), customer());
  const before = await condition(scenario());

  const handle = await startRecovery(scenario(), earliest);
  const seen: { rows: number[]; lost: number }[] = [];
  for (const [index, value] of [...later, earliest].entries()) {
    const approval = await asked(handle, index + 1);
    seen.push({ rows: await seenBeside(approval), lost: lost(approval) });
    await say(handle, approval, { choice: 'move-target', value });
  }
  const last = await asked(handle, 5);
  expect(seen.map(({ rows }) => rows)).toEqual([[], [-1], [-1, -2], [-1, -2, -3]]);
  expect(await seenBeside(last)).toEqual([]);
  const losses = seen.map((one) => one.lost);
  expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect(lost(last)).toBe(losses[0]);

  await reject(handle, last, 'it was not the deploy after all');
  const { steps, ...evidence } = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'NotApproved' }, leftBehind: [] });
  const restores = steps.map(({ name }) => name).filter((name) => name.startsWith('Restore'));
  expect(restores.toSorted()).toEqual([
    'Restore once more on db1 (5)',
    'Restore once more on db2 (5)',
    'Restore the backup beside on db1',
    'Restore the backup beside on db2',
  ]);

  expect(await condition(scenario())).toEqual(before);
  await expectNothingBeside(scenario());
  for (const host of hosts) expect(await setAside(scenario(), host)).toEqual([]);
  await stillServed(scenario(), customer());
});
