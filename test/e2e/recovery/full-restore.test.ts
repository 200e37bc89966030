/** Both servers and their data are gone: the database comes back from the store alone, and an observer compares it with what was archived. */
import { mkdir, readdir, rename } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Customer, startCustomer } from '../../../lab/customer.ts';
import { burnDown } from '../../../lab/fire.ts';
import { giveTo } from '../../../lab/host.ts';
import { hosts } from '../../../lab/layout.ts';
import { served } from '../../../lab/pair.ts';
import { secretFile } from '../../../lab/secrets.ts';
import { sayYes, withPeople } from '../../../scripts/kills/people.ts';
import { type Independent, type LoggedPulse, readPulseLog, restoreIndependently } from '../drill/independent.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { vandalOf } from '../faults/vandal.ts';
import { ask, pulsesIn, type Server } from '../observer.ts';
import { decide } from './scenario.ts';

vi.setConfig({ testTimeout: 300_000 });

const scenario = useEstate(withPeople);

/** Restored from one backup, both have db1's directory for their sockets, and their own ports. */
function server(host: (typeof hosts)[number]): Server {
  const { servers } = scenario().estate;
  return { host: servers.db1.socket, port: servers[host].port };
}

function fullRestore(input: object = {}): Promise<WorkflowHandle> {
  return start(scenario(), 'fullRestore', { mode: 'live', requestedBy: 'cara', ...input });
}

async function missed(handle: WorkflowHandle): Promise<boolean> {
  const { decisions = [] } = await handle.query<Evidence>('evidence');
  return decisions.some(({ failure }) => failure.type === 'SecretMissing');
}

async function expectAborted(handle: WorkflowHandle): Promise<void> {
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
}

/** What was acknowledged to the customer, and is archived for certain. */
async function archivedFor({ acknowledged }: Customer): Promise<number[]> {
  const certain = [...acknowledged];
  const [{ segment } = { segment: '' }] = await ask<{ segment: string }>(
    server('db1'),
    'select pg_walfile_name(pg_switch_wal()) as segment',
  );
  await until(`${segment} is archived`, async () => {
    const [row] = await ask<{ last: string }>(server('db1'), 'select last_archived_wal as last from pg_stat_archiver');
    return row !== undefined && row.last >= segment ? true : undefined;
  });
  return certain;
}

const numbers = async (look: (sql: string) => Promise<{ number?: string }[]>): Promise<number[]> =>
  (await look('select number from customer order by number')).map(({ number }) => Number(number));

let certain: number[] = [];
let mustBeThere: LoggedPulse[] = [];

test('while the primary runs nothing is restored over it', async () => {
  await backup(scenario());
  const handle = await fullRestore();
  expect(await decide(handle, 'abort', 'ServerAlive')).toMatch(/db1 is a primary .*point-in-time-recovery/);
  await expectAborted(handle);
});

test('nor without a secret of the plan, nor past a gap in the archive', async () => {
  const { estate } = scenario();
  const customer = await startCustomer(estate);
  await until('the customer is served', async () => (customer.acknowledged.length > 200 ? true : undefined));
  certain = await archivedFor(customer);
  await burnDown(estate);
  await customer.stop();

  const secret = secretFile(estate.site.layout.secrets, 'orders');
  await rename(secret, `${secret}.away`);
  const handle = await fullRestore();
  const vandal = vandalOf(estate);
  const segments = await vandal.segments(1);
  const mend = await vandal.takeAway(segments.at(-2) ?? '');
  await until('the secret is missed', async () => (await missed(handle)) || undefined, 150_000);
  await rename(`${secret}.away`, secret);
  await decide(handle, 'retry', 'SecretMissing');
  expect(await decide(handle, 'abort', 'ArchiveGap')).toContain(segments.at(-2));
  await expectAborted(handle);
  await mend();
  for (const host of hosts) expect(await readdir(estate.servers[host].data).catch(() => 'gone')).toBe('gone');
});

test('both come back onto empty hosts with all that was archived, and the service goes on', async () => {
  const { estate } = scenario();
  // One host has no directory, the other an empty one.
  await mkdir(estate.servers.db2.data, { mode: 0o700 });
  await giveTo(estate.site.account, estate.servers.db2.data);

  const handle = await fullRestore();
  const asked = await until(
    'people are asked',
    async () => {
      const evidence = await handle.query<Evidence>('evidence');
      if (evidence.outcome !== 'running') throw new Error(evidence.failure?.message ?? evidence.outcome);
      return evidence.approvals?.length === 1 ? evidence : undefined;
    },
    200_000,
  );
  const { lsn = '' } = asked.target ?? {};
  const own: Independent = await restoreIndependently(estate, { lsn, inclusive: true });
  const expected = await numbers((sql) => own.rows(sql));
  await own.remove();
  expect(expected).toEqual(expect.arrayContaining(certain));
  mustBeThere = (await readPulseLog(estate)).filter((pulse) => before(pulse.lsn, lsn));

  await sayYes(handle);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [], target: { chosenBy: 'archive' } });

  expect(await numbers((sql) => ask(server('db1'), sql))).toEqual(expected);
  const pulses = new Set(await pulsesIn(server('db1')));
  expect(mustBeThere.length).toBeGreaterThan(0);
  expect(mustBeThere.filter(({ number }) => !pulses.has(number))).toEqual([]);
});

test('the standby streams on the new timeline, the door leads to the primary, and the pulse goes on', async () => {
  const { estate } = scenario();
  expect(await served(estate)).toEqual(['db1']);
  expect(await ask(server('db2'), 'select received_tli, status from pg_stat_wal_receiver')).toEqual([
    { received_tli: 2, status: 'streaming' },
  ]);
  expect(await ask(server('db1'), 'select slot_name, active from pg_replication_slots')).toEqual([
    { slot_name: 'db2', active: true },
  ]);
  const newest = Math.max(...(await readPulseLog(estate)).map(({ number }) => number));
  await until('the pulse goes on', async () =>
    (await pulsesIn(server('db2'))).some((number) => number > newest) ? true : undefined,
  );
  const [{ value } = { value: '' }] = await ask<{ value: string }>(
    server('db1'),
    "select current_setting('restore_command') || current_setting('recovery_target_lsn') as value",
  );
  expect(value).toBe('');
});

/** By the numbers themselves, not by Lifeboat's own comparison. */
function before(one: string, other: string): boolean {
  const value = (lsn: string) => lsn.split('/').reduce((sum, part) => sum * 2 ** 32 + Number.parseInt(part, 16), 0);
  return value(one) <= value(other);
}
