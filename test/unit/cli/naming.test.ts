import { expect, test } from 'vitest';
import { statusOf } from '../../../cli/engine/status.ts';
import { drawName } from '../../../cli/engine/temporal.ts';
import { requester } from '../../../cli/requester.ts';

test('a run is named after its service, with four digits; with eight when many are taken', () => {
  expect(drawName('orders', 0)).toMatch(/^orders-[0-9a-f]{4}$/);
  expect(drawName('orders', 8)).toMatch(/^orders-[0-9a-f]{8}$/);
});

test('who asks is a name at a host', () => {
  expect(requester({ USER: 'ana' })).toMatch(/^ana@.+/);
  expect(requester({ LOGNAME: 'ben' })).toMatch(/^ben@.+/);
  expect(requester({})).toMatch(/^.+@.+/);
});

test('a paused run is still running, and so is what a newer server calls it', () => {
  expect(statusOf('PAUSED')).toBe('running');
  expect(statusOf('UNKNOWN')).toBe('running');
  expect(statusOf('TIMED_OUT')).toBe('timed-out');
});
