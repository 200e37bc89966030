/** The entry of a service in a zone of a real BIND, as a resolver with a memory of its own tells it to clients. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { askDns } from '../../../activities/entry/question.ts';
import type { DnsUpdateEntry } from '../../../plan/entry.ts';
import { works } from './works.ts';
import { startZone, type Zone } from './zone.ts';

let zone: Zone;
let entry: DnsUpdateEntry;
const does = works();
const [east, west, stranger] = ['127.0.0.10', '127.0.0.20', '127.0.0.99'];
const usual = 'real $input';

beforeAll(async () => {
  zone = await startZone();
  entry = zone.entry;
});

afterAll(() => zone?.stop());

afterEach(() => zone.nsupdateDoes(usual));

/** Asked of the zone's own server, past Lifeboat's view of it. */
async function recordIs(): Promise<string> {
  const { records } = await askDns(entry.server, { name: entry.name, type: 'A', recursive: false });
  return records.map(({ value, ttlSeconds }) => `${value} for ${ttlSeconds} s`).join(', ');
}

async function clientsGet(): Promise<{ value: string; ttlSeconds: number } | undefined> {
  const [resolver] = entry.resolvers;
  if (resolver === undefined) throw new Error('the entry has no resolver');
  return (await askDns(resolver, { name: entry.name, type: 'A', recursive: true })).records[0];
}

/** The record again, whatever a test has left. */
async function reset(value: string, ttlSeconds = 3): Promise<void> {
  await zone.byHand(`update delete ${entry.name}.`, `update add ${entry.name}. ${ttlSeconds} A ${value}`);
}

const until = async (iso: string) => pause(Math.max(0, Date.parse(iso) - Date.now()));

describe('there and back', () => {
  test('it is told where the record leads, for how long, and what clients get', async () => {
    const state = await does.entryState({ entry });
    expect(state).toMatchObject({ record: { value: east, ttlSeconds: 3 }, site: 'east' });
    expect(state.unfit).toBeUndefined();
    expect(state.resolvers).toMatchObject([{ values: [east], site: 'east', ttlSeconds: 3 }]);
    expect(state.found).toContain(`orders.lifeboat.test leads to east (${east}), TTL 3 s; resolver 127.0.0.1:`);
  });

  test('a TTL that was lowered and waited out is the longest that anybody keeps the old answer', async () => {
    await clientsGet();
    const record = { value: east, ttlSeconds: 3 };
    const began = Date.now();
    const lowered = await does.setEntryTtl({ entry, record, ttlSeconds: 1 });
    expect(Date.parse(lowered.until) - began).toBeGreaterThanOrEqual(3_000);
    // Told again, as after a crash, it counts from now on: not from the TTL that it finds.
    const again = await does.setEntryTtl({ entry, record, ttlSeconds: 1 });
    expect(Date.parse(again.until)).toBeGreaterThanOrEqual(Date.parse(lowered.until));
    expect(await recordIs()).toBe(`${east} for 1 s`);
    await until(lowered.until);
    expect((await clientsGet())?.ttlSeconds).toBeLessThanOrEqual(1);
  });

  test('it moves, and moved again it only finds it done', async () => {
    const moved = await does.moveEntry({ entry, from: 'east', to: 'west' });
    expect(await recordIs()).toBe(`${west} for 1 s`);
    expect(Date.parse(moved.until) - Date.parse(moved.at)).toBe(1_000);
    await zone.nsupdateDoes('echo "nothing should be changed" >&2; exit 3');
    await does.moveEntry({ entry, from: 'east', to: 'west' });
    expect(await recordIs()).toBe(`${west} for 1 s`);
  });

  test('it is seen when the resolver has forgotten the old answer', async () => {
    const seen = await does.entrySeen({ entry, site: 'west', withinMs: 5_000 });
    expect(seen.found).toMatch(/^127\.0\.0\.1:\d+: all lead to west \(127\.0\.0\.20\)$/);
    expect((await clientsGet())?.value).toBe(west);
  });

  test('it moves back, and its usual TTL comes back', async () => {
    await does.moveEntry({ entry, from: 'west', to: 'east' });
    await does.restoreEntryTtl({ entry, ttlSeconds: 3 });
    expect(await recordIs()).toBe(`${east} for 3 s`);
    await does.entrySeen({ entry, site: 'east', withinMs: 5_000 });
  });
});

test('a resolver that keeps the old answer is named, with how long it will', async () => {
  await clientsGet();
  await does.moveEntry({ entry, from: 'east', to: 'west' });
  const hurried = does.entrySeen({ entry, site: 'west', withinMs: 200 });
  await expect(hurried).rejects.toMatchObject({
    type: 'EntryNotSeen',
    nonRetryable: true,
    message: expect.stringMatching(/resolver 127\.0\.0\.1:\d+ gives 127\.0\.0\.10 \(east\) for [1-3] s more/),
  });
  await does.entrySeen({ entry, site: 'west', withinMs: 6_000 });
  expect(does.waitedFor()).toContainEqual(expect.stringContaining(`gives ${east} (east)`));
  await reset(east);
});

describe('somebody else', () => {
  test('who has led clients to another place is not overruled', async () => {
    await reset(stranger);
    await expect(does.moveEntry({ entry, from: 'east', to: 'west' })).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining(`${stranger}, which is the front door of no site of the plan`),
    });
    await expect(does.restoreEntryTtl({ entry, ttlSeconds: 9 })).rejects.toMatchObject({ type: 'Moved' });
    const state = await does.entryState({ entry });
    expect(state).toMatchObject({ record: { value: stranger } });
    expect(state.unfit).toContain(stranger);
    expect(state.site).toBeUndefined();
    expect(await recordIs()).toBe(`${stranger} for 3 s`);
  });

  test('who changes it between the look and the change is not overruled either', async () => {
    await reset(east);
    const theirs = `sed -e '/^prereq/d' -e 's/A ${west}$/A ${stranger}/' $input > $input.theirs; real $input.theirs`;
    await zone.nsupdateDoes(`${theirs}; ${usual}`);
    await expect(does.moveEntry({ entry, from: 'east', to: 'west' })).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining(`leads to ${stranger}`),
    });
    expect(await recordIs()).toBe(`${stranger} for 3 s`);
  });

  test('who changes it right after is told of', async () => {
    await reset(east);
    const theirs = `sed -e '/^prereq/d' -e 's/A ${west}$/A ${stranger}/' $input > $input.theirs; real $input.theirs`;
    await zone.nsupdateDoes(`${usual}; ${theirs}`);
    await expect(does.moveEntry({ entry, from: 'east', to: 'west' })).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining('a moment later'),
    });
  });
});

describe('an answer that is lost', () => {
  test('is found done by the next try', async () => {
    await reset(east);
    await zone.nsupdateDoes(`${usual}; echo "; Communication with 127.0.0.1#53 failed: timed out" >&2; exit 1`);
    await expect(does.moveEntry({ entry, from: 'east', to: 'west' })).rejects.toMatchObject({
      type: 'EntryUnreachable',
      nonRetryable: false,
    });
    await zone.nsupdateDoes('exit 3');
    await does.moveEntry({ entry, from: 'east', to: 'west' });
    expect(await recordIs()).toBe(`${west} for 3 s`);
  });

  test('and said again by nsupdate itself is not taken for somebody else', async () => {
    await zone.nsupdateDoes(`${usual}; ${usual}`);
    await does.moveEntry({ entry, from: 'west', to: 'east' });
    expect(await recordIs()).toBe(`${east} for 3 s`);
  });
});

describe('a server that says no', () => {
  const move = (to: Partial<DnsUpdateEntry>) =>
    does.moveEntry({ entry: { ...entry, ...to }, from: 'east', to: 'west' });

  test('to a key that it does not know', async () => {
    await expect(move({ key: { ...entry.key, name: 'other-key' } })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringMatching(/does not know the key other-key.*BADKEY/),
    });
  });

  test('to another secret of the key, or another algorithm', async () => {
    process.env.LIFEBOAT_TEST_KEY = Buffer.from('another secret of thirty-two bytes').toString('base64');
    await expect(move({ key: { ...entry.key, secret: '${env:LIFEBOAT_TEST_KEY}' } })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringMatching(/another secret than \$\{env:LIFEBOAT_TEST_KEY\} \(NOTAUTH\(BADSIG\)\)/),
    });
    await expect(move({ key: { ...entry.key, algorithm: 'hmac-sha512' } })).rejects.toMatchObject({
      type: 'EntryRefused',
    });
    process.env.LIFEBOAT_TEST_KEY = 'not a key';
    await expect(move({ key: { ...entry.key, secret: '${env:LIFEBOAT_TEST_KEY}' } })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.not.stringContaining('not a key'),
    });
    delete process.env.LIFEBOAT_TEST_KEY;
  });

  test('is heard beforehand, by asking for what cannot hold', async () => {
    const movable = (to: Partial<DnsUpdateEntry>) => does.entryMovable({ entry: { ...entry, ...to } });
    expect(await movable({})).toMatchObject({ found: expect.stringContaining('may change orders.lifeboat.test') });
    const unknown = { ...entry.key, name: 'other-key' };
    await expect(movable({ key: unknown })).rejects.toMatchObject({ type: 'EntryRefused' });
    await expect(movable({ name: `ns1.${entry.zone}` })).rejects.toMatchObject({ type: 'EntryRefused' });
    expect(await recordIs()).toBe(`${east} for 3 s`);
  });

  test('to a name that the key may not change', async () => {
    const other = { name: `ns1.${entry.zone}`, sites: { east: '127.0.0.1', west } };
    await expect(move(other)).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringContaining(`update-policy { grant lifeboat-key name ns1.${entry.zone} A; }`),
    });
  });

  test('to a zone that it does not keep, and a resolver that keeps none', async () => {
    const name = 'orders.elsewhere.test';
    await expect(move({ name, zone: 'elsewhere.test' })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringContaining('(REFUSED). Is it the primary server of elsewhere.test'),
    });
    const [resolver = entry.server] = entry.resolvers;
    await expect(move({ server: resolver })).rejects.toMatchObject({
      type: 'EntryRefused',
      message: expect.stringContaining('does not keep the zone lifeboat.test itself'),
    });
    expect(await recordIs()).toBe(`${east} for 3 s`);
  });

  test('words that would be another command are refused before it is asked', async () => {
    const twoLines = { ...entry.key, name: 'lifeboat-key\nsend' };
    await expect(move({ key: twoLines })).rejects.toMatchObject({ type: 'PlanInvalid' });
    await expect(move({ sites: { east, west: `${west}\nupdate delete ${entry.zone}.` } })).rejects.toMatchObject({
      type: 'PlanInvalid',
    });
  });
});

test('a server that is down is told, and once it is back the same is done', async () => {
  await clientsGet();
  await zone.server.stop();
  const move = () => does.moveEntry({ entry, from: 'east', to: 'west' });
  const away = { type: 'EntryUnreachable', nonRetryable: false, message: expect.stringContaining('nobody listens') };
  await expect(move()).rejects.toMatchObject(away);
  await expect(does.entryState({ entry })).rejects.toMatchObject(away);
  await zone.server.start();
  await move();
  expect(await recordIs()).toBe(`${west} for 3 s`);
  await move();
});

test('a resolver that is down is no resolver that has seen it', async () => {
  await zone.resolver.stop();
  const state = await does.entryState({ entry });
  expect(state.resolvers).toMatchObject([{ values: [], why: 'refuses questions: nobody listens there' }]);
  await expect(does.entrySeen({ entry, site: 'west', withinMs: 300 })).rejects.toMatchObject({
    type: 'EntryNotSeen',
    message: expect.stringContaining('nobody listens there'),
  });
  await zone.resolver.start();
  await does.entrySeen({ entry, site: 'west', withinMs: 5_000 });
});

describe('a record that cannot be moved', () => {
  test('because it has several values', async () => {
    await zone.byHand(`update add ${entry.name}. 3 A ${east}`);
    const state = await does.entryState({ entry });
    expect(state.unfit).toContain(`has 2 values (${east}, ${west}), expected one alone`);
    expect(state.record).toBeUndefined();
    await expect(does.moveEntry({ entry, from: 'west', to: 'east' })).rejects.toMatchObject({ type: 'EntryUnfit' });
  });

  test('because it is a CNAME; as a CNAME it moves', async () => {
    const target = (site: string) => `${site}.lifeboat.test`;
    await zone.byHand(`update delete ${entry.name}.`, `update add ${entry.name}. 3 CNAME ${target('east')}.`);
    const state = await does.entryState({ entry });
    expect(state.unfit).toContain('is a CNAME to east.lifeboat.test, expected a record of type A');
    const alias: DnsUpdateEntry = { ...entry, type: 'CNAME', sites: { east: target('east'), west: target('west') } };
    await does.moveEntry({ entry: alias, from: 'east', to: 'west' });
    expect(await does.entryState({ entry: alias })).toMatchObject({
      record: { value: 'west.lifeboat.test', ttlSeconds: 3 },
      site: 'west',
    });
  });

  test('because there is none', async () => {
    await zone.byHand(`update delete ${entry.name}.`);
    const state = await does.entryState({ entry });
    expect(state.unfit).toContain('orders.lifeboat.test has no record of type A');
    await expect(does.moveEntry({ entry, from: 'west', to: 'east' })).rejects.toMatchObject({ type: 'EntryUnfit' });
  });
});

test('the key is in no result, failure, heartbeat, argument, environment or log', async () => {
  const [outside, said] = [await zone.seenOutside(), does.said()];
  for (const [text, words] of [
    [outside, '-v -t'],
    [outside, 'update failed'],
    [said, 'does not know the key'],
  ] as const) {
    expect(text.includes(words)).toBe(true);
    expect(text.includes(zone.secret)).toBe(false);
  }
});
