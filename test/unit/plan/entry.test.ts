import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { planInWords } from '../../../cli/plan/words.ts';
import { entryValue } from '../../../plan/entry-value.ts';
import { allSecretNames, entrySecretNames } from '../../../plan/hosts.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { ordersWith, problemsOf } from './orders.ts';

const twoSites = ordersWith([
  'east: { hosts: { db1: 10.0.0.1, db2: 10.0.0.2 } }',
  'east: { hosts: { db1: 10.0.0.1 } }\n  west: { hosts: { db2: 10.0.0.2 } }',
]);
/** Its first line is the first of the whole. */
const lines = twoSites.split('\n').length - 1;
const update = `entry:
  kind: dns-update
  name: orders.example.com
  type: A
  ttl: 60s
  movingTtl: 5s
  zone: example.com
  server: { host: ns1.example.com }
  key: { name: lifeboat.example.com, secret: '\${file:/etc/lifeboat/tsig}' }
  resolvers: [{ host: 10.0.0.53 }, { host: 10.1.0.53, port: 5353 }]
  sites: { east: 192.0.2.10, west: 192.0.2.20 }
`;
const route53 = `entry:
  kind: route53
  name: orders.example.com
  type: CNAME
  ttl: 60s
  zoneId: Z0123456789ABC
  accessKeyId: \${env:DNS_KEY}
  secretAccessKey: \${env:DNS_SECRET}
  sites: { east: east.example.com, west: west.example.com }
`;

/** Lines are counted from the one that says `entry:`. */
function wrong(entry: string, from = '', to = ''): string[] {
  if (!entry.includes(from)) throw new Error(`the entry has no "${from}"`);
  return problemsOf(twoSites + entry.replace(from, () => to)).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+)/, (_, line) => `${Number(line) - lines}`),
  );
}

describe('an entry that is right', () => {
  test('is read, and what is not said has a usual value', () => {
    const { entry } = loadPlanText(twoSites + update, 'x').plan;
    expect(entry).toMatchObject({ ttl: 60_000, server: { port: 53 }, key: { algorithm: 'hmac-sha256' } });
    expect(entry?.resolvers).toEqual([
      { host: '10.0.0.53', port: 53 },
      { host: '10.1.0.53', port: 5353 },
    ]);
    expect(loadPlanText(twoSites + route53, 'x').plan.entry).toMatchObject({ region: 'us-east-1', resolvers: [] });
  });

  test('names its secrets among those of the plan', () => {
    expect(allSecretNames(loadPlanText(twoSites + update, 'x').plan)).toContain('${file:/etc/lifeboat/tsig}');
    expect(entrySecretNames(loadPlanText(twoSites + route53, 'x').plan)).toEqual([
      '${env:DNS_KEY}',
      '${env:DNS_SECRET}',
    ]);
    expect(entrySecretNames(loadPlanText(twoSites, 'x').plan)).toEqual([]);
  });

  test('is the one that the page about it shows, of either kind', async () => {
    const page = await readFile('docs/entry.md', 'utf8');
    const shown = [...page.matchAll(/```yaml\n(entry:.*?)```/gs)].map(([, text = '']) => text);
    expect(shown.map((text) => loadPlanText(twoSites + text, 'x').plan.entry?.kind)).toEqual(['dns-update', 'route53']);
  });

  test('is read aloud', () => {
    const told = planInWords(loadPlanText(twoSites + update, 'x'), new Date('2026-11-21T00:00:00Z'));
    expect(told).toContain(
      'Clients come by orders.example.com (A): to 192.0.2.10 while east serves, to 192.0.2.20 while west serves.',
    );
    expect(told).toContain('A resolver may keep the old answer for 1 min, for 5 s in a planned move.');
  });
});

describe('an entry is refused with line, column and what to write instead', () => {
  test('unless it is right', () => {
    expect(wrong(update)).toEqual([]);
    expect(wrong(route53)).toEqual([]);
    expect(wrong(update.replace('type: A', 'type: AAAA').replace(/192\.0\.2\./g, '2001:db8::'))).toEqual([]);
  });

  test.each<[what: string, entry: string, from: string, to: string, problem: string]>([
    [
      'a kind that there is not',
      update,
      'kind: dns-update',
      'kind: cloudflare',
      '2:9 entry.kind: write kind: dns-update (RFC 2136) or route53',
    ],
    ['a misspelt key', route53, 'zoneId:', 'zoneID:', '6:3 unknown key "zoneID" in entry: did you mean "zoneId"?'],
    [
      'a site that there is not',
      update,
      'west: 192',
      'vest: 192',
      '11:30 there is no site "vest": did you mean "west"?',
    ],
    [
      'a single site',
      update,
      ', west: 192.0.2.20',
      '',
      '11:3 an entry that leads to one site alone cannot be moved: name at least two sites',
    ],
    [
      'two sites with one front door',
      update,
      '192.0.2.20',
      '192.0.2.10',
      '11:36 192.0.2.10 is the front door of east already: nobody could tell where clients go',
    ],
    [
      'a name where an address must stand',
      update,
      '192.0.2.20',
      'west.example.com',
      '11:36 this is no value of a record of type A: write an IPv4 address, such as 192.0.2.10',
    ],
    [
      'an address where a name must stand',
      route53,
      'west: west.example.com',
      'west: 192.0.2.20',
      '9:42 this is no value of a record of type CNAME: write a whole name, such as east.example.com',
    ],
    [
      'two ways to write one name',
      route53,
      'west: west.example.com',
      'west: EAST.example.com',
      '9:42 east.example.com is the front door of east already: nobody could tell where clients go',
    ],
    [
      'an entry that leads to itself',
      route53,
      'west: west.example.com',
      'west: Orders.example.com',
      '9:42 the entry would lead to itself',
    ],
    [
      'a name outside of its zone',
      update,
      'zone: example.com',
      'zone: ample.com',
      '3:9 orders.example.com does not lie in the zone ample.com: write a name that ends in .ample.com',
    ],
    [
      'a CNAME for a whole zone',
      update.replace(/192\.0\.2\.(..)/g, 'site$1.example.com').replace('name: orders.', 'name: '),
      'type: A',
      'type: CNAME',
      '4:9 the name of a zone itself cannot be a CNAME: write A or AAAA',
    ],
    [
      'a TTL that no record can have',
      update,
      '  ttl: 60s',
      '  ttl: 8d',
      '5:8 a TTL is counted in whole seconds, and 7d at the most',
    ],
    [
      'a TTL with half seconds',
      update,
      'movingTtl: 5s',
      'movingTtl: 5.5s',
      '6:14 a TTL is counted in whole seconds, and 7d at the most',
    ],
    [
      'a TTL that grows for the move',
      update,
      'movingTtl: 5s',
      'movingTtl: 2m',
      '6:14 it is longer than the usual TTL of 1m: write 1m or less',
    ],
    [
      'no resolver to ask',
      update,
      '[{ host: 10.0.0.53 }, { host: 10.1.0.53, port: 5353 }]',
      '[]',
      '10:14 entry.resolvers: the list is empty: name at least one',
    ],
    [
      'a resolver that is asked twice',
      update,
      'host: 10.1.0.53, port: 5353',
      'host: 10.0.0.53',
      '10:36 this resolver is asked already: 10.0.0.53:53',
    ],
    [
      'a secret that is written out',
      update,
      "'${file:/etc/lifeboat/tsig}'",
      'dG9wIHNlY3JldA==',
      '9:46 entry.key.secret: a secret is only named here, never written: write ${env:NAME} or ${file:/path}',
    ],
    [
      'words for a name',
      update,
      'name: orders.example.com',
      'name: "orders.example.com A\\nsend"',
      '3:9 entry.name is not a name of DNS: write it whole and without a dot at its end, such as orders.example.com',
    ],
  ])('%s', (_, entry, from, to, problem) => {
    expect(wrong(entry, from, to)).toEqual([problem]);
  });
});

test.each([
  ['AAAA', '2001:0DB8:0:0::10', '2001:db8::10'],
  ['AAAA', 'fe80::1%eth0', undefined],
  ['A', '192.0.2.010', undefined],
  ['CNAME', 'East.Example.com.', 'east.example.com'],
  ['CNAME', 'east example.com', undefined],
] as const)('as %s, %s is %s', (type, written, value) => {
  expect(entryValue(type, written)).toBe(value);
});
