/** A search of the archived WAL tells what happened, as the server itself has counted it, and leads to just before it. */
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Effect, type Finding, findingSentence } from '../../../evidence/search.ts';
import { restoreIndependently } from '../drill/independent.ts';
import { backup, ended, start, useEstate } from '../drill/scenario.ts';
import { processesNaming } from '../observer.ts';
import { Hand, happen, type Kind, type Noted, tables } from './disasters.ts';

const scenario = useEstate({ load: { ordersPerSecond: 20 } });

let hand: Hand;
let noted: Record<Kind, Noted>;
let from = '';
let to = '';

beforeAll(async () => {
  const { socket, port } = scenario().estate.servers.db1;
  hand = await Hand.at({ host: socket, port });
  await hand.sql(tables);
  await hand.sql('analyze hurt.emptied, hurt.dropped');
  await backup(scenario());
  from = await hand.now();
  noted = await happen(hand);
  to = await hand.now();
  await hand.sql('create table hurt.afterwards ()');
  await hand.archived();
});

afterAll(() => hand?.end());

async function find(input: object = {}): Promise<Evidence> {
  return ended(await start(scenario(), 'find', { mode: 'live', from, to, ...input }));
}

const ofTransaction = (findings: Finding[] | undefined, { transaction }: Noted): Finding | undefined =>
  findings?.find((one) => one.transaction === transaction);

const effect = (findings: Finding[] | undefined, one: Noted): Partial<Effect> | undefined =>
  ofTransaction(findings, one)?.effects[0];

describe('of all that happened', () => {
  let evidence: Evidence;
  const findings = () => evidence.search?.findings;

  beforeAll(async () => {
    evidence = await find({ order: 'time' });
    expect(evidence.failure).toBeUndefined();
  });

  test('each deletion and update is told with its transaction, its table, and the rows that the server counted', () => {
    expect(effect(findings(), noted.deleted)).toMatchObject({
      what: 'deleted',
      relation: 'hurt.deleted',
      rows: noted.deleted.rows,
    });
    expect(effect(findings(), noted.updated)).toMatchObject({
      what: 'updated',
      relation: 'hurt.updated',
      rows: noted.updated.rows,
    });
    expect(noted.deleted.rows).toBe(5000);
  });

  test('a table that was emptied or dropped is told, with its name and about its rows', () => {
    expect(effect(findings(), noted.emptied)).toMatchObject({
      what: 'truncated',
      relation: 'hurt.emptied',
      rows: 3000,
    });
    expect(effect(findings(), noted.dropped)).toMatchObject({ what: 'dropped', relation: 'hurt.dropped', rows: 2000 });
    expect(effect(findings(), noted.refilled)).toMatchObject({
      what: 'truncated',
      relation: 'hurt.deleted',
      inserted: 7,
    });
  });

  test('what savepoints kept counts for the whole, and what they took back does not', () => {
    expect(effect(findings(), noted.parts)).toMatchObject({ what: 'deleted', relation: 'hurt.parts', rows: 1600 });
  });

  test('a prepared transaction is told once it was committed', () => {
    expect(ofTransaction(findings(), noted.prepared)).toMatchObject({ prepared: true });
    expect(effect(findings(), noted.prepared)).toMatchObject({ relation: 'hurt.prepared', rows: 2500 });
  });

  test('rows of partitions are rows of their table', () => {
    expect(effect(findings(), noted.split)).toMatchObject({ what: 'deleted', relation: 'hurt.split', rows: 2100 });
  });

  test('a rewrite is not called a loss', () => {
    const rewrite = findings()?.find(({ effects }) => effects.some(({ relation }) => relation === 'hurt.rewritten'));
    expect(rewrite?.effects).toEqual([expect.objectContaining({ what: 'rewritten', relation: 'hurt.rewritten' })]);
    expect(rewrite?.weight).toBe(0);
  });

  test('what was rolled back, what was light, and everyday work are not listed', () => {
    expect(ofTransaction(findings(), noted.spared)).toBeUndefined();
    expect(ofTransaction(findings(), noted.lightly)).toBeUndefined();
    expect(findings()?.map(findingSentence)).toHaveLength(9);
  });

  test('they stand in the order in which they were committed', () => {
    const times = findings()?.map(({ at }) => at) ?? [];
    expect(times).toEqual([...times].sort());
  });

  test('nothing of it is left on the host', async () => {
    expect(evidence.leftBehind).toEqual([]);
    expect(await readdir(scenario().estate.servers.db2.scratch)).toEqual([]);
    expect(await processesNaming(join(scenario().estate.servers.db2.scratch, evidence.run))).toEqual([]);
  });

  test('restoring to just before the deletion brings back every row', async () => {
    const target = ofTransaction(findings(), noted.deleted)?.target;
    const own = await restoreIndependently(scenario().estate, { lsn: target?.lsn ?? '', inclusive: false });
    try {
      const [row] = await own.rows(
        `select (select count(*) from hurt.deleted) as deleted, (select count(*) from hurt.dropped) as dropped`,
      );
      expect(row).toEqual({ deleted: '5000', dropped: '2000' });
    } finally {
      await own.remove();
    }
  });
});

test('without names the heaviest comes first, a dropped table is told by its file, and nothing is restored', async () => {
  const { search, steps } = await find({ names: false });
  expect(effect(search?.findings, noted.dropped)).toMatchObject({ what: 'dropped', namedBy: 'nobody' });
  expect(search?.notes.join()).toContain('no restore was wanted');
  expect(steps.map(({ name }) => name)).not.toContain('Restore the backup beside');
  expect(search?.findings.slice(0, 2).map(({ transaction }) => transaction)).toEqual([
    noted.deleted.transaction,
    noted.updated.transaction,
  ]);
});

test('only what was done to one table, when that is asked for', async () => {
  const { search } = await find({ table: 'hurt.updated', names: false });
  expect(search?.findings.map(({ transaction }) => transaction)).toEqual([noted.updated.transaction]);
});

describe('refused in words', () => {
  test.each([
    ['a time without an offset', { from: '2026-11-21T14:00:00' }, 'without an offset'],
    ['the later moment first', { from: '2026-11-21T15:00:00Z', to: '2026-11-21T14:00:00Z' }, 'not before'],
    ['a moment in the future', { to: '2099-01-01T00:00:00Z' }, 'in the future'],
    ['a table that nobody knows', { table: 'hurt.nothing', names: false }, 'no table hurt.nothing'],
  ])(
    '%s: InputInvalid',
    async (_what, input, words) => {
      const handle = await start(scenario(), 'find', { mode: 'live', from, to, ...input });
      const error = await handle.result().catch((problem: unknown) => problem);
      const said = JSON.stringify(error, ['message', 'cause', 'type']);
      expect(said).toContain('InputInvalid');
      expect(said).toContain(words);
    },
    60_000,
  );

  test('a time before the oldest WAL: TargetOutsideWindow, with the moment from which on there is any', async () => {
    const { failure } = await find({ from: '2020-01-01T00:00:00Z' });
    expect(failure?.type).toBe('TargetOutsideWindow');
    expect(failure?.message).toMatch(/--from \d{4}-\d\d-\d\dT/);
  });

  test('a segment that is missing in that time: ArchiveGap', async () => {
    const [row] = await hand.sql('select last_archived_wal as wal from pg_stat_archiver');
    const { store } = scenario().estate.site.layout;
    const all = (await readdir(store, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile() && /^[0-9A-F]{24}-[0-9a-f]{40}/.test(one.name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const last = all.findLastIndex(({ name }) => name.slice(0, 24) <= (row?.wal ?? ''));
    const victim = all[last - 1];
    if (victim === undefined) throw new Error('the archive is empty');
    const [here, away] = [join(victim.parentPath, victim.name), join(scenario().estate.root, 'taken-away')];
    await rename(here, away);
    try {
      await hand.archived();
      const { failure } = await find({ to: await hand.now() });
      expect(failure?.type).toBe('ArchiveGap');
    } finally {
      await rename(away, here);
    }
  });
});
