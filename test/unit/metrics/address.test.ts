import { expect, test } from 'vitest';
import { metricsAddress } from '../../../workers/metrics/address.ts';

test.each([
  ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65535 }],
  ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
])('%s is an address', (text, address) => {
  expect(metricsAddress(text)).toEqual(address);
});

test.each([undefined, ''])('%j serves no metrics', (text) => {
  expect(metricsAddress(text)).toBeUndefined();
});

test.each([
  '9464',
  ':9464',
  '127.0.0.1',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '127.0.0.1:94 64',
  '::1:9464',
  'http://127.0.0.1:9464',
  '127.0.0.1:9464/metrics',
  '127.0.0.1:+9464',
])('%s is refused, with what to write instead', (text) => {
  expect(() => metricsAddress(text)).toThrow(/^LIFEBOAT_METRICS is ".*": write the one address .* 127\.0\.0\.1:9464/);
});
