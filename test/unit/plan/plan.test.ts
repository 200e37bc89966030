import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newestBackupWithinMs } from '../../../plan/cadence.ts';
import { durationMs, durationText } from '../../../plan/duration.ts';
import { addresses, member, secretNames } from '../../../plan/hosts.ts';
import { planJsonSchema } from '../../../plan/json-schema.ts';
import { loadPlanFile, loadPlanText } from '../../../plan/load.ts';
import { dataClassesOf, objectivesFor } from '../../../plan/objectives.ts';
import { sqlProblem } from '../../../plan/rules/data.ts';
import { runbooksWithObjectives } from '../../../plan/rules/promises.ts';
import { doorsOf, shareStore } from '../../../plan/sites.ts';
import { bytesOf } from '../../../plan/size.ts';
import { runbooks } from '../../../workflows/messages.ts';
import { orders, ordersWith } from './orders.ts';

const minute = 60_000;
const hour = 60 * minute;
const { plan } = loadPlanText(orders, 'orders.yaml');
const switchover = new URL('../../../examples/switchover.yaml', import.meta.url).pathname;
const twoSites = new URL('../../../examples/two-sites.yaml', import.meta.url).pathname;
const example = new URL('../../../examples/orders.yaml', import.meta.url).pathname;

describe('a plan that is right', () => {
  test('has durations in milliseconds, defaults filled in and secrets still only named', () => {
    expect(plan.phases.database).toBe(45 * minute);
    expect(plan.pulse).toEqual({ log: '/var/lib/lifeboat/pulse', keep: 7 * 24 * hour });
    expect(plan.workers).toEqual({ heartbeat: 10_000, answerWithin: 10 * minute });
    expect(plan.drills.monthly.keepFree).toBe('1GB');
    expect(plan.database.frontDoor.password).toBe(`\${file:/etc/lifeboat/orders.password}`);
  });

  test('is known by the hash of its bytes', async () => {
    const sha256 = createHash('sha256')
      .update(await readFile(example))
      .digest('hex');
    expect((await loadPlanFile(example)).sha256).toBe(sha256);
    expect(loadPlanText(orders, 'x').sha256).toBe(createHash('sha256').update(orders).digest('hex'));
  });

  test('has an example with all that a live switchover needs', async () => {
    const { plan: whole } = await loadPlanFile(switchover);
    expect(whole.database.members.map(({ control }) => control?.kind)).toEqual(['command', 'command']);
    expect(whole.database.replication).toMatchObject({ user: 'replicator' });
    const asked = ['switch-the-primary', 'replace-the-production-database', 'default'];
    expect(Object.keys(whole.people?.approvals ?? {})).toEqual(asked);
    expect(whole.people).toMatchObject({ unsigned: 'refused', decisions: { group: 'dba' }, slack: {} });
    const { approvals = {}, groups = {}, persons = {} } = whole.people ?? {};
    const rule = approvals['switch-the-primary'];
    expect((groups[rule?.group ?? '']?.length ?? 0) - 1).toBeGreaterThanOrEqual(rule?.quorum ?? Number.NaN);
    // A key that is copied by mistake lets nobody in: these say of themselves that they are made up.
    const keys = [...Object.values(persons).flatMap((one) => one.keys), ...(whole.people?.slack?.gatewayKeys ?? [])];
    for (const key of keys) expect(key).toMatch(/^ed25519:MadeUpKey.*NobodyCanSignWithIt/);
  });

  test('has an example of two sites, each with a door and a store, and one name that leads to both', async () => {
    const { plan: whole } = await loadPlanFile(twoSites);
    expect(doorsOf(whole)).toHaveLength(2);
    expect(shareStore(whole, 'db1', 'db2')).toBe(false);
    expect(Object.keys(whole.entry?.sites ?? {})).toEqual(Object.keys(whole.sites));
    expect(whole.failover?.fencing.map(({ kind }) => kind)).toEqual(['postgres', 'command', 'attestation']);
  });

  test('gives a runbook its own objectives where it has some, and the service’s otherwise', () => {
    expect(objectivesFor(plan, 'monthly-drill')).toEqual({ rto: hour, rpo: 5 * minute });
    expect(objectivesFor(plan, 'backup')).toEqual({ rto: 4 * hour, rpo: 5 * minute });
    expect(objectivesFor(plan, 'constructor')).toEqual({ rto: 4 * hour, rpo: 5 * minute });
  });

  test('says what it promises for each class of data, and nothing that it does not', () => {
    const { rto, rpo } = plan.objectives;
    const dataClasses = { money: { rpo: minute, tables: ['payments'] }, stock: { rto: hour, tables: ['items'] } };
    expect(dataClassesOf({ objectives: { rto, rpo, dataClasses } })).toStrictEqual([
      { name: 'money', tables: ['payments'], rpoMs: minute },
      { name: 'stock', tables: ['items'], rtoMs: hour },
    ]);
    expect(dataClassesOf({ objectives: { rto, rpo } })).toEqual([]);
  });

  test('knows its hosts, members and secrets', () => {
    expect(addresses(plan)).toEqual({ db1: '10.0.0.1', db2: '10.0.0.2' });
    expect(addresses({ sites: { east: { hosts: ['a', 'b'] } } })).toEqual({ a: 'a', b: 'b' });
    expect(member(plan, 'db2').dataDirectory).toBe('/var/lib/postgresql/15/main');
    expect(() => member(plan, 'db9')).toThrow('no member of the database is on host db9: the plan has db1, db2');
    expect(secretNames(plan)).toEqual([
      `\${file:/etc/lifeboat/orders.password}`,
      `\${env:EVIDENCE_KEY}`,
      `\${env:EVIDENCE_SECRET}`,
    ]);
  });

  test('lets the newest backup be a quarter older than the pause of its most frequent cadence', () => {
    expect(newestBackupWithinMs(plan)).toBe(7.5 * hour);
    expect(plan.backups.physical.newestWithin).toBe(7.5 * hour);
    const daily = loadPlanText(ordersWith(['    incremental: every 6h\n', '']), 'x').plan;
    expect(newestBackupWithinMs(daily)).toBe(30 * hour);
    const given = loadPlanText(
      ordersWith(['archiveTimeout: 30s', 'archiveTimeout: 30s\n    newestWithin: 9h']),
      'x',
    ).plan;
    expect(newestBackupWithinMs(given)).toBe(9 * hour);
  });
});

describe('what stands beside the plan', () => {
  test('the committed schema for editors is that of the code: lifeboat plan schema --write', async () => {
    const committed = await readFile(new URL('../../../examples/plan.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(planJsonSchema())));
  });

  test('the example names the schema and is valid', async () => {
    expect(await readFile(example, 'utf8')).toMatch(/^# yaml-language-server: \$schema=\.\/plan\.schema\.json\n/);
    expect((await loadPlanFile(example)).plan.service).toBe('orders');
  });

  test('every example is valid', async () => {
    const folder = new URL('../../../examples/', import.meta.url).pathname;
    const plans = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
    expect(plans).toContain('everything.yaml');
    for (const name of plans) expect((await loadPlanFile(`${folder}${name}`)).plan.service, name).toBeTruthy();
  });

  test('objectives may be given for every runbook but those that promise nobody anything', () => {
    const others = Object.keys(runbooks).filter((one) => runbooksWithObjectives.every((name) => name !== one));
    expect(others.sort()).toEqual([
      'accept',
      'anchor',
      'cache-recovery',
      'file-backup',
      'find',
      'region-failback',
      'region-switchover',
      'standby-rebuild',
      'sweep',
      'switchover',
      'traffic-shift',
    ]);
  });
});

describe('values', () => {
  test.each([
    ['1h30m', 90 * minute],
    ['30s', 30_000],
    ['7d', 7 * 24 * hour],
    ['0.5h', 30 * minute],
    ['', undefined],
    ['5', undefined],
    ['5 minutes', undefined],
    ['-5m', undefined],
    ['m', undefined],
  ])('duration "%s"', (text, expected) => {
    expect(durationMs(text)).toBe(expected);
  });

  test('a duration comes back from how a plan writes it', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 11 }), (ms) => durationMs(durationText(ms)) === ms));
  });

  test.each([
    ['1GB', 1024 ** 3],
    ['512 MB', 512 * 1024 ** 2],
    ['0.5kB', 512],
    ['100', undefined],
    ['lots', undefined],
    ['1 GiB', undefined],
  ])('size "%s"', (text, expected) => {
    expect(bytesOf(text)).toBe(expected);
  });

  test.each([
    'select 1',
    'SELECT count(*) FROM orders -- delete nothing;',
    "select 'drop; delete from x' = E'it\\'s; delete'",
    'select "update" from "delete"',
    'select $$ ; insert into $$ || $tag$;$tag$',
    '/* ; */ with a as (select 1) select * from a',
    'select deleted, updated_at from orders',
  ])('SQL that only reads is accepted: %s', (sql) => {
    expect(sqlProblem(sql)).toBeUndefined();
  });

  test.each([
    'select 1;',
    'select 1; select 2',
    'delete from orders',
    'with gone as (delete from orders returning 1) select * from gone',
    'select * into copy from orders',
    'explain select 1',
    'selection',
    '',
    '-- select 1',
    "select 'x'; drop table y --'",
  ])('SQL that does more is refused: %s', (sql) => {
    expect(sqlProblem(sql)).toBeDefined();
  });
});
