import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logFileName } from '../../../activities/pulse/log.ts';
import { pulsesPast } from '../../../activities/pulse/pulses-past.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-pulses-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 14, 0, second)).toISOString().replace('Z', '000Z');
const pulse = (number: number, more: object = {}) => ({
  number,
  at: at(number),
  lsn: `0/${(0x1000 + number * 0x100).toString(16).toUpperCase()}`,
  timeline: 1,
  ...more,
});

async function past(lsn: string, ...entries: object[]) {
  const log = join(folder, 'pulse');
  await mkdir(log);
  const file = join(log, logFileName('orders', new Date(Date.UTC(2026, 10, 21))));
  await writeFile(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  return pulsesPast({ pulse: { log, keep: 60_000 }, service: 'orders', timeline: 1, lsn });
}

test('acknowledged pulses past a position are counted, and the time between the last before it and the newest', async () => {
  expect(await past('0/1300', pulse(1), pulse(2), pulse(3), pulse(4), pulse(5))).toMatchObject({
    past: 2,
    spanMs: 2_000,
    newest: at(5),
  });
});

test('where the standby has all of them, none is past it', async () => {
  expect(await past('0/1500', pulse(4), pulse(5))).toMatchObject({ past: 0, spanMs: 0, newest: at(5) });
});

test('attempts that failed, and pulses of another timeline, do not count', async () => {
  const failed = { failed: true, at: at(6), clock: 'own', error: 'refused' };
  expect(await past('0/1100', pulse(1), pulse(2), failed, pulse(7, { timeline: 2 }))).toMatchObject({ past: 1 });
});

test('one whose position nobody knows counts as past it only where no later one lies before it', async () => {
  const { lsn: _unknown, ...broken } = pulse(2);
  expect(await past('0/1300', pulse(1), broken, pulse(3))).toMatchObject({ past: 0 });
  await rm(join(folder, 'pulse'), { recursive: true });
  expect(await past('0/1100', pulse(1), broken)).toMatchObject({ past: 1, spanMs: 1_000 });
});

test('without a log that is said, not taken for no loss', async () => {
  const ask = { pulse: { log: join(folder, 'nowhere'), keep: 60_000 }, service: 'orders', timeline: 1, lsn: '0/1' };
  await expect(pulsesPast(ask)).rejects.toMatchObject({ type: 'PulseSilent' });
});
