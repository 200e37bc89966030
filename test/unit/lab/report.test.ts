import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepReport, mayWrite } from '../../../lab/demo/report.ts';
import { proven } from '../evidence/samples.ts';

let folder: string;
let said: string[];
const board = { say: (line: string) => said.push(line) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-demo-report-'));
  said = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('the report is kept where it was asked for, and the demo says where', async () => {
  const report = join(folder, 'drill.html');
  await mayWrite(report);
  await keepReport(proven(), { report, once: true }, board);
  expect(said).toEqual([`Report   ${report}`]);
  expect(await readFile(report, 'utf8')).toContain('orders can be recovered');
});

test('a demo that ends at once keeps nothing unasked, and says how to keep a report', async () => {
  await keepReport(proven(), { once: true }, board);
  expect(said.join('\n')).toContain('--report FILE');
  expect(said.join('\n')).not.toContain('http');
  expect(await readdir(folder)).toEqual([]);
});

test('a place that cannot be written to is refused before anything is started', async () => {
  await expect(mayWrite(join(folder, 'absent', 'drill.html'))).rejects.toThrow('cannot be written to');
  await expect(mayWrite(folder)).rejects.toThrow('is a directory');
});
