/** The entry of a service in a hosted zone of Route 53, which moto plays, and a proxy plays what moto does not. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Route53Entry } from '../../../plan/entry.ts';
import { type Moto, name, startMoto } from './moto.ts';
import { works } from './works.ts';

let moto: Moto;
let entry: Route53Entry;
const does = works();
const [east, west, stranger] = ['192.0.2.10', '192.0.2.20', '192.0.2.99'];
const [batch, change, list] = [/^POST .*rrset/, /^GET .*\/change\//, /^GET .*rrset/];
const secret = 'the-secret-of-the-tests';
const record = (value: string, TTL = 60) => ({ TTL, ResourceRecords: [{ Value: value }] });

beforeAll(async () => {
  process.env.LIFEBOAT_TEST_DNS_KEY = 'AKIDLIFEBOAT';
  process.env.LIFEBOAT_TEST_DNS_SECRET = secret;
  moto = await startMoto();
  entry = {
    kind: 'route53',
    name,
    type: 'A',
    ttl: 60_000,
    zoneId: '',
    region: 'us-east-1',
    endpoint: moto.endpoint,
    accessKeyId: '${env:LIFEBOAT_TEST_DNS_KEY}',
    secretAccessKey: '${env:LIFEBOAT_TEST_DNS_SECRET}',
    resolvers: [],
    sites: { east, west },
  };
}, 600_000);

afterAll(async () => {
  delete process.env.LIFEBOAT_TEST_DNS_KEY;
  delete process.env.LIFEBOAT_TEST_DNS_SECRET;
  await moto?.stop();
});

beforeEach(async () => {
  moto.faults.length = 0;
  moto.asked.length = 0;
  entry = { ...entry, zoneId: await moto.zone(record(east)) };
});

const move = (from = 'east', to = 'west') => does.moveEntry({ entry, from, to });
const recordIs = async () =>
  (await moto.records()).map(
    ({ TTL, ResourceRecords = [] }) => `${ResourceRecords.map((one) => one.Value)} for ${TTL} s`,
  );
const asked = (what: RegExp) => moto.asked.filter((one) => what.test(one)).length;

test('it moves there and back, with a lower TTL meanwhile, and each change is awaited', async () => {
  const { record: found, site } = await does.entryState({ entry });
  expect(site).toBe('east');
  if (found === undefined) throw new Error('no record was found');
  const began = Date.now();
  const { until } = await does.setEntryTtl({ entry, record: found, ttlSeconds: 5 });
  expect(Date.parse(until) - began).toBeGreaterThanOrEqual(60_000);
  const moved = await move();
  expect(moved.found).toMatch(
    /leads to west \(192\.0\.2\.20\), with a TTL of 5 s; the change \S+ has reached all name/,
  );
  expect(await recordIs()).toEqual([`${west} for 5 s`]);
  await move('west', 'east');
  await does.restoreEntryTtl({ entry, ttlSeconds: 60 });
  expect(await recordIs()).toEqual([`${east} for 60 s`]);
  expect([asked(batch), asked(change)]).toEqual([4, 4]);
});

test('a change that is pending is awaited, not believed', async () => {
  moto.faults.push({ of: change, times: 2, pending: true });
  const began = performance.now();
  await move();
  expect(performance.now() - began).toBeGreaterThan(1_900);
  expect(asked(change)).toBe(3);
});

test('a change that says it is in sync and is not there is not believed either', async () => {
  moto.faults.push({ of: change, first: () => moto.byHand('UPSERT', record(stranger)) });
  await expect(move()).rejects.toMatchObject({ type: 'Moved', message: expect.stringContaining('a moment later') });
});

test('without a resolver in the plan it is said that nobody has looked', async () => {
  const seen = await does.entrySeen({ entry, site: 'west', withinMs: 100 });
  expect(seen.found).toContain('what clients get was not looked at');
});

describe('somebody else', () => {
  test('who changes the value or the TTL between the look and the change is not overruled', async () => {
    const changes = [
      [record(stranger), `leads to ${stranger}`],
      [record(east, 61), 'changed between the look at it and the change'],
    ] as const;
    for (const [theirs, words] of changes) {
      moto.faults.push({ of: batch, times: 1, first: () => moto.byHand('UPSERT', theirs) });
      await expect(move()).rejects.toMatchObject({
        type: 'Moved',
        message: expect.stringContaining(words),
      });
      expect(await moto.records()).toMatchObject([theirs]);
      await moto.byHand('UPSERT', record(east));
    }
  });

  test('who has led clients to another place is not overruled', async () => {
    await moto.byHand('UPSERT', record(stranger));
    await expect(move()).rejects.toMatchObject({ type: 'Moved' });
    expect((await does.entryState({ entry })).unfit).toContain('the front door of no site of the plan');
    expect(asked(batch)).toBe(0);
  });
});

describe('an answer that is lost', () => {
  test('is found done by the client that asks again by itself, and settles by a change that changes nothing', async () => {
    moto.faults.push({ of: batch, times: 1, lose: true });
    await move();
    expect(await recordIs()).toEqual([`${west} for 60 s`]);
    expect([asked(batch), asked(change)]).toEqual([3, 1]);
  });

  test('together with the worker is found done by the next try, and settles', async () => {
    moto.faults.push({ of: change, refuse: { status: 503, code: 'ServiceUnavailable' } });
    await expect(move()).rejects.toMatchObject({ type: 'EntryUnreachable', nonRetryable: false });
    expect(await recordIs()).toEqual([`${west} for 60 s`]);
    moto.faults.length = 0;
    moto.asked.length = 0;
    const again = await move();
    expect(again.found).toContain('(INSYNC)');
    expect(await recordIs()).toEqual([`${west} for 60 s`]);
    expect([asked(batch), asked(change)]).toEqual([1, 1]);
  });
});

describe('an API that says no', () => {
  test.each<[what: string, of: RegExp, status: number, code: string, type: string]>([
    ['later, to all who ask', batch, 400, 'Throttling', 'EntryUnreachable'],
    ['later, while it is at work', batch, 400, 'PriorRequestNotComplete', 'EntryUnreachable'],
    ['by failing', list, 500, 'InternalFailure', 'EntryUnreachable'],
    ['to the key', list, 403, 'InvalidClientTokenId', 'EntryRefused'],
    ['to a wrong signature', list, 403, 'SignatureDoesNotMatch', 'EntryRefused'],
    ['to the change', batch, 403, 'AccessDenied', 'EntryRefused'],
  ])('%s', async (_, of, status, code, type) => {
    moto.faults.push({ of, refuse: { status, code } });
    await expect(move()).rejects.toMatchObject({ type, message: expect.stringContaining(code) });
    expect(await recordIs()).toEqual([`${east} for 60 s`]);
  });

  test('once, by throttling, is asked again', async () => {
    moto.faults.push({ of: /./, times: 2, refuse: { status: 400, code: 'Throttling', message: 'Rate exceeded' } });
    await move();
    expect(await recordIs()).toEqual([`${west} for 60 s`]);
  });

  test('to the batch, though the record is as it was seen', async () => {
    moto.faults.push({ of: batch, refuse: { status: 400, code: 'InvalidChangeBatch', message: 'RRSet is locked' } });
    await expect(move()).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringContaining('was refused (RRSet is locked), though the record is still as it was seen'),
    });
  });

  test('is heard beforehand, by asking for what cannot hold', async () => {
    expect(await does.entryMovable({ entry })).toMatchObject({ found: expect.stringContaining(`may change ${name}`) });
    expect([asked(batch), asked(change)]).toEqual([1, 0]);
    moto.faults.push({ of: batch, refuse: { status: 403, code: 'AccessDenied' } });
    await expect(does.entryMovable({ entry })).rejects.toMatchObject({ type: 'EntryRefused' });
    expect(await recordIs()).toEqual([`${east} for 60 s`]);
  });

  test('because there is no such zone', async () => {
    const elsewhere = { ...entry, zoneId: 'Z00000000000NONE' };
    await expect(does.entryState({ entry: elsewhere })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringContaining('has no hosted zone Z00000000000NONE'),
    });
  });

  test('by being away', async () => {
    const nobody = { ...entry, endpoint: 'http://127.0.0.1:1' };
    await expect(does.entryState({ entry: nobody })).rejects.toMatchObject({
      type: 'EntryUnreachable',
      message: expect.stringContaining('refuses connections'),
    });
  });
});

describe('a record that cannot be moved', () => {
  test.each([
    ['is weighted', { Weight: 10 }],
    ['is routed by failover', { Failover: 'SECONDARY' as const }],
    ['is routed by latency', { Region: 'eu-central-1' as const }],
  ])('because one beside it %s', async (words, policy) => {
    await moto.byHand('CREATE', { ...record(west), SetIdentifier: 'other', ...policy });
    expect((await does.entryState({ entry })).unfit).toContain(`${name} ${words} (set "other")`);
    await expect(move()).rejects.toMatchObject({ type: 'EntryUnfit' });
    expect(asked(batch)).toBe(0);
  });

  test('because it is an alias', async () => {
    const AliasTarget = { HostedZoneId: 'Z2', DNSName: 'lb.example.com.', EvaluateTargetHealth: false };
    const alias = { ...entry, zoneId: await moto.zone({ AliasTarget }) };
    expect((await does.entryState({ entry: alias })).unfit).toContain(`${name} is an alias of lb.example.com.`);
  });

  test('because there is none, or it has several values', async () => {
    await moto.byHand('UPSERT', { TTL: 60, ResourceRecords: [{ Value: east }, { Value: west }] });
    expect((await does.entryState({ entry })).unfit).toContain('has 2 values');
    const empty = { ...entry, zoneId: await moto.zone() };
    expect((await does.entryState({ entry: empty })).unfit).toContain('has no record of type A');
  });
});

test('the secret is in no result, failure or heartbeat', () => {
  expect(does.said().includes('refuses the key')).toBe(true);
  expect(does.said().includes(secret)).toBe(false);
});
