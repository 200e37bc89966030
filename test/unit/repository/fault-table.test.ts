/** The table of faults is what people read before they believe: each line names a test that there is, and no test of a fault is missing. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const ending = '.test.ts';
const page = await readFile('docs/faults.md', 'utf8');
const rows = page.split('\n').filter((line) => /^\| (?!fault |---)/.test(line) && line !== '|---|---|---|');
const files = (await readdir('test', { recursive: true })).flatMap((file) =>
  file.endsWith(ending) ? [file.slice(0, -ending.length)] : [],
);
const namedIn = (row: string) =>
  [...row.matchAll(/`((?:e2e|unit|workflows)\/[\w/-]+)`/g)].map(([, file]) => file ?? '');

test('each fault names a test that shows it', () => {
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => namedIn(row).length === 0 && !row.includes('the rules'))).toEqual([]);
});

test('each test that the table names is there', () => {
  const named = new Set(namedIn(page));
  expect(named.size).toBeGreaterThan(30);
  expect([...named].filter((file) => !files.includes(file))).toEqual([]);
});

test('each test of faults, of security and of a switchover stands in the table', () => {
  const ofFaults = files.filter((file) => /^e2e\/(faults|security|switchover)\//.test(file));
  expect(ofFaults.filter((file) => !page.includes(`\`${file}\``))).toEqual([]);
});
