import { describe, expect, test } from 'vitest';
import { frontDoorOf, leadsTo, siteOf, soleRecord } from '../../../activities/entry/leads.ts';
import { updateFailure } from '../../../activities/entry/nsupdate.ts';
import { route53Failure } from '../../../activities/entry/route53-failure.ts';
import type { DnsUpdateEntry, Route53Entry } from '../../../plan/entry.ts';

const entry: DnsUpdateEntry = {
  kind: 'dns-update',
  name: 'orders.example.com',
  type: 'AAAA',
  ttl: 60_000,
  zone: 'example.com',
  server: { host: '10.0.0.2', port: 53 },
  key: { name: 'lifeboat', algorithm: 'hmac-sha256', secret: '${env:TSIG}' },
  resolvers: [{ host: '10.0.0.53', port: 53 }],
  sites: { east: '2001:DB8::10', west: '2001:db8:0:0::20' },
};

describe('a value', () => {
  test('leads to the site that writes the same address in another way', () => {
    expect(siteOf(entry, '2001:db8::20')).toBe('west');
    expect(frontDoorOf(entry, 'east')).toBe('2001:db8::10');
    expect(leadsTo(entry, '2001:db8::30')).toContain('the front door of no site of the plan');
  });

  test('of a site that the entry does not know is asked for in vain', () => {
    expect(() => frontDoorOf(entry, 'north')).toThrow('does not lead to a site "north": it knows east, west');
    expect(() => frontDoorOf(entry, 'constructor')).toThrow('does not lead to a site');
  });

  test('is one alone, or the record is not moved', () => {
    expect(soleRecord(entry, { values: ['::1'], ttlSeconds: 3 })).toEqual({ value: '::1', ttlSeconds: 3 });
    expect(() => soleRecord(entry, { values: ['::1', '::2'], ttlSeconds: 3 })).toThrow('has 2 values (::1, ::2)');
    expect(() => soleRecord(entry, { values: [], ttlSeconds: 3 })).toThrow('has 0 values');
    expect(() => soleRecord(entry, undefined)).toThrow('has no record of type AAAA');
  });
});

test.each([
  ['update failed: NOTAUTH(BADTIME)', 'ClockSkewed', 'finds the clock of this worker wrong'],
  ['; TSIG error with server: expected a TSIG or SIG(0)', 'EntryRefused', 'does not know the key lifeboat'],
  ['update failed: REFUSED', 'EntryRefused', 'grant lifeboat name orders.example.com AAAA;'],
  ['update failed: NOTAUTH', 'EntryRefused', 'is not the primary server of the zone example.com (NOTAUTH)'],
  ['update failed: NOTZONE', 'EntryRefused', '(NOTZONE)'],
  ['update failed: SERVFAIL', 'EntryUnreachable', 'often it cannot write'],
  ['; Communication with 10.0.0.2#53 failed: timed out\n', 'EntryUnreachable', '10.0.0.2#53 failed: timed out. See'],
  ['', 'EntryUnreachable', 'it said nothing'],
])('what nsupdate says, "%s", is %s', (words, type, message) => {
  expect(updateFailure(words, entry)).toMatchObject({ type, message: expect.stringContaining(message) });
});

const hosted: Route53Entry = {
  kind: 'route53',
  name: 'orders.example.com',
  type: 'A',
  ttl: 60_000,
  zoneId: 'Z1',
  region: 'us-east-1',
  accessKeyId: '${env:KEY}',
  secretAccessKey: '${env:SECRET}',
  resolvers: [],
  sites: {},
};

test.each([
  [{ name: 'Throttling', status: 400 }, 'EntryUnreachable', 'asks to come again later'],
  [{ name: 'RequestExpired', status: 400 }, 'ClockSkewed', 'finds the clock'],
  [{ name: 'ExpiredToken', status: 403 }, 'EntryRefused', 'compare the secrets ${env:KEY} and ${env:SECRET}'],
  [{ name: 'AccessDenied', status: 403 }, 'EntryRefused', 'route53:ChangeResourceRecordSets on the hosted zone Z1'],
  [{ name: 'InvalidInput', status: 400 }, 'EntryRefused', 'refuses the request (InvalidInput: as it is)'],
  [{ name: 'TimeoutError' }, 'EntryUnreachable', 'did not answer in time'],
  [{ name: 'Error', code: 'ENOTFOUND' }, 'EntryUnreachable', 'its name does not resolve'],
  [{ name: 'ServiceUnavailable', status: 503 }, 'EntryUnreachable', 'answers 503 (ServiceUnavailable)'],
])('what Route 53 says, %o, is %s', ({ name, ...rest }, type, message) => {
  const { status, code } = { status: undefined, code: undefined, ...rest };
  const error = Object.assign(new Error('as it is'), { name, code, $metadata: { httpStatusCode: status } });
  expect(route53Failure(error, hosted)).toMatchObject({ type, message: expect.stringContaining(message) });
});
