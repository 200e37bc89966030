import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CsvFile } from '../../../activities/ledger/csv-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-csv-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('NULL and an empty text differ, and nothing that a text holds can end its field', async () => {
  const csv = new CsvFile(join(folder, 'odd.csv'), ['lifeboat', 'note']);
  for (const value of [null, '', 'plain', 'a "quote"', 'two\nlines\r\n', ',;\t', '=1+1', '\\.'])
    await csv.line(['missing', value]);
  const sha256 = await csv.end();
  const bytes = await readFile(csv.path);
  expect(bytes.toString()).toBe(
    '"lifeboat","note"\n"missing",\n"missing",""\n"missing","plain"\n"missing","a ""quote"""\n"missing","two\nlines\r\n"\n"missing",",;\t"\n"missing","=1+1"\n"missing","\\."\n',
  );
  expect(csv).toMatchObject({ bytes: bytes.length, lines: 8 });
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect((await stat(csv.path)).mode & 0o777).toBe(0o600);
});

test('a disk that takes no more is met by whoever writes, and ends nothing else', async () => {
  const csv = new CsvFile('/dev/full', ['lifeboat']);
  await expect(csv.end()).rejects.toMatchObject({ code: 'ENOSPC' });
});

test('more than fits into memory goes to the disk as it comes', async () => {
  const csv = new CsvFile(join(folder, 'long.csv'), ['lifeboat', 'note']);
  for (let line = 0; line < 200; line += 1) await csv.line(['missing', 'x'.repeat(100_000)]);
  await csv.end();
  expect((await stat(csv.path)).size).toBe(csv.bytes);
});
