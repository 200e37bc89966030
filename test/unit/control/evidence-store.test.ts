import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { archivedSegment } from '../../../activities/cluster/service-moment.ts';
import { stableJson } from '../../../activities/evidence/json.ts';
import { anchorKey, anchorTime, newestFirst, safeName, timeIn } from '../../../activities/evidence/layout.ts';
import { withoutSecrets } from '../../../activities/evidence/secrets-removed.ts';
import { storeFailure } from '../../../activities/evidence/store-failure.ts';
import type { EvidenceStore } from '../../../plan/schema.ts';

const moment = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((at) => at.toISOString());

describe('names in the store', () => {
  test('any run name is one harmless part of a path, and two names never meet', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 300 }), (one, other) => {
        expect(safeName(one)).toMatch(/^[A-Za-z0-9~_-][A-Za-z0-9._~-]{0,99}$/);
        if (one !== other) expect(safeName(one)).not.toBe(safeName(other));
      }),
    );
  });

  test('an ordinary run name stays as it is', () => {
    expect(safeName('orders-7f3a')).toBe('orders-7f3a');
    expect(safeName('..')).not.toContain('.');
  });

  test('sorted as text, the newest comes first, and its time can be read from it', () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        fc.pre(a !== b);
        const newestIsFirst = newestFirst(a, 'x') < newestFirst(b, 'x');
        expect(newestIsFirst).toBe(Date.parse(a) > Date.parse(b));
        expect(timeIn(`orders/index/${newestFirst(a, 'orders/7f3a')}`)).toBe(a);
      }),
    );
  });

  test("anchors are named by timeline and position, padded, so that they lie in the WAL's order", () => {
    const at = '2026-11-21T14:00:00.000Z';
    const key = (timeline: number, lsn: string) => anchorKey('orders', { timeline, lsn, at });
    expect(key(1, '0/59e1a40')).toBe(`orders/anchors/00000001-00000000059E1A40-${at}.json`);
    expect([key(1, '1/0'), key(1, '0/FFFFFFFF'), key(10, '0/1'), key(2, '0/1')].sort()).toEqual([
      key(1, '0/FFFFFFFF'),
      key(1, '1/0'),
      key(2, '0/1'),
      key(10, '0/1'),
    ]);
    expect(anchorTime(key(1, '1/0'))).toBe(at);
  });
});

test('the same content gives the same bytes, in whatever order it was put together', () => {
  expect(stableJson({ b: 1, a: { d: [2, 1], c: 'é' } })).toEqual(stableJson({ a: { c: 'é', d: [2, 1] }, b: 1 }));
  expect(new TextDecoder().decode(stableJson({ b: 1, a: 2 }))).toBe('{\n  "a": 2,\n  "b": 1\n}\n');
});

describe('secrets', () => {
  const key = 'wJalrXUtnFEMI/K7MDENG';

  test('known ones are removed wherever they stand, also in keys', () => {
    const { clean, found } = withoutSecrets({ [key]: [`before ${key} after`], fine: 'text', n: 1, none: null }, [key]);
    expect(JSON.stringify(clean)).not.toContain(key);
    expect(clean).toMatchObject({ fine: 'text', n: 1, none: null });
    expect(found).toBe(2);
  });

  test.each([
    ['a password in an address', 'postgres://orders:hunter2@db/orders', 'hunter2'],
    ['a password in a connection string', 'host=db password=hunter2 user=x', 'hunter2'],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----', 'MHcCAQ'],
    ['a private key that was cut off', '-----BEGIN PRIVATE KEY-----\nMHcCAQ', 'MHcCAQ'],
  ])('what looks like one is removed: %s', (_, text, secret) => {
    const { clean, found } = withoutSecrets({ text }, []);
    expect(clean.text).not.toContain(secret);
    expect(found).toBe(1);
  });

  test('their names and ordinary text stay', () => {
    const texts = ['the secret ${file:/etc/key}', 'password: ${env:PG}', 's3://bucket/orders/runs', 'at 14:00:03Z'];
    expect(withoutSecrets(texts, ['abc'])).toEqual({ clean: texts, found: 0 });
  });
});

test.each([
  [null, undefined],
  ['000000010000000000000005', '000000010000000000000005'],
  ['000000010000000000000005.00000028.backup', '000000010000000000000005'],
  ['00000002.history', undefined],
  ['000000010000000000000005.partial', undefined],
])('the newest archived file %s proves segment %s', (file, segment) => {
  expect(archivedSegment(file)).toBe(segment);
});

describe("the store's errors", () => {
  const store: EvidenceStore = {
    kind: 's3',
    endpoint: 'https://store:9000',
    region: 'us-east-1',
    bucket: 'evidence',
    prefix: '',
    accessKeyId: '${env:KEY}',
    secretAccessKey: '${env:SECRET}',
    directory: '/var/lib/lifeboat',
  };
  const error = (more: object, name = 'Error') => Object.assign(new Error('words'), { name }, more);
  const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

  test.each<[string, Error, string, RegExp]>([
    [
      'a certificate without its authority',
      error({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
      'StoreRefused',
      /give its authority as evidence.caFile/,
    ],
    ['an expired certificate', error({ code: 'CERT_HAS_EXPIRED' }), 'StoreRefused', /has expired: renew it/],
    [
      'a certificate for another name',
      error({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }),
      'StoreRefused',
      /for another name/,
    ],
    ['no TLS', error({ code: 'EPROTO' }), 'StoreRefused', /does not speak TLS/],
    ['a wrong clock', error(status(403), 'RequestTimeTooSkewed'), 'StoreRefused', /clock wrong/],
    ['another region', error(status(301), 'PermanentRedirect'), 'StoreRefused', /another region than "us-east-1"/],
    ['a missing permission', error(status(403), 'AccessDenied'), 'StoreRefused', /does not permit this/],
    ['a busy store', error(status(503), 'SlowDown'), 'StoreUnreachable', /answers 503 \(SlowDown\)/],
    ['too many requests', error(status(429), 'Throttling'), 'StoreUnreachable', /Throttling/],
    ['a slow store', error({}, 'TimeoutError'), 'StoreUnreachable', /did not answer in time/],
    ['a broken connection', error({ code: 'ECONNRESET' }), 'StoreUnreachable', /broke off/],
  ])('%s', (_, cause, type, words) => {
    expect(storeFailure(cause, store)).toMatchObject({ type, message: expect.stringMatching(words) });
  });
});
