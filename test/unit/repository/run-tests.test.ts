import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leftoversBelow } from '../../../scripts/tests/leftovers.ts';
import { BadOrder, layers, readOrder } from '../../../scripts/tests/order.ts';
import { lastLine, notRun, renderTable } from '../../../scripts/tests/outcome.ts';
import { count } from '../../../scripts/tests/vitest.ts';

const seven = () => 7;

async function folder(): Promise<string> {
  const made = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-run-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('without words every layer runs, with a seed that is drawn', () => {
  expect(readOrder([], seven)).toEqual({ layers, filters: [], seed: 7, all: false });
});

test('a layer, parts of file names, a seed', () => {
  const order = readOrder(['e2e', 'restore', 'drill', '--seed', '42', '--all'], seven);
  expect(order).toEqual({ layers: ['e2e'], filters: ['restore', 'drill'], seed: 42, all: true });
});

test.each([
  [['unix'], 'There is no layer "unix"'],
  [['--seed', 'x'], '--seed wants a whole number'],
  [['--fast'], "Unknown option '--fast'"],
  [['static', 'plan'], 'The static checks look at all files'],
])('%j is refused with a sentence and the usage', (words, sentence) => {
  expect(() => readOrder(words, seven)).toThrow(BadOrder);
  expect(() => readOrder(words, seven)).toThrow(sentence);
  expect(() => readOrder(words, seven)).toThrow('Usage: ./scripts/test');
});

test('the last line adds the layers up, and a layer that did not run is a failure', () => {
  const outcomes = [
    { layer: 'static', passed: 4, failed: 0, skipped: 0, tookMs: 900, failures: [], notes: [] },
    { layer: 'unit', passed: 210, failed: 1, skipped: 2, tookMs: 4_000, failures: [], notes: [] },
    notRun('e2e', 'not run without pgbackrest'),
  ];
  expect(lastLine(outcomes)).toBe('214 passed, 2 failed');
  expect(renderTable(outcomes)).toContain('! e2e: not run without pgbackrest');
});

const report = async (testResults: unknown[]) => {
  const file = join(await folder(), 'unit.json');
  await writeFile(file, JSON.stringify({ testResults }));
  return file;
};

const passes = { status: 'passed', fullName: 'it holds' };

test('a file that could not be loaded counts as one failure', async () => {
  const file = await report([
    { name: 'a', status: 'passed', assertionResults: [passes, { status: 'pending', fullName: 'later' }] },
    { name: 'b', status: 'failed', assertionResults: [passes, { status: 'failed', fullName: 'it breaks' }] },
    { name: 'c', status: 'failed', assertionResults: [] },
  ]);
  expect(await count(file)).toMatchObject({ passed: 2, failed: 2, skipped: 1 });
});

test('what failed is told at the end, with the file, the reason and the place', async () => {
  const said =
    '\u001B[31mexpected 1 to be 2\u001B[39m\n    at lib (node_modules/vitest/x.js:1:1)\n    at test/b.test.ts:7:3';
  const file = await report([
    {
      name: join(process.cwd(), 'test/b.test.ts'),
      status: 'failed',
      assertionResults: [{ status: 'failed', fullName: 'it breaks', failureMessages: [said] }],
    },
    { name: join(process.cwd(), 'test/c.test.ts'), status: 'failed', message: 'no such file', assertionResults: [] },
  ]);

  const table = renderTable([{ layer: 'unit', tookMs: 1, notes: [], ...(await count(file)) }]);

  expect(table).toContain('✗ test/b.test.ts > it breaks\n    expected 1 to be 2\n    at test/b.test.ts:7:3');
  expect(table).toContain('✗ test/c.test.ts\n    no such file');
});

test('processes and files of a run that outlive it are named', async () => {
  const root = await folder();
  const file = join(root, 'estate');
  await writeFile(file, '');
  const inCommand = spawn('tail', ['-f', file], { stdio: 'ignore' });
  const inEnvironment = spawn('tail', ['-f', '/dev/null'], { stdio: 'ignore', env: { LIFEBOAT_TEST_ROOT: root } });
  onTestFinished(() => {
    inCommand.kill();
    inEnvironment.kill();
  });

  const left = await leftoversBelow(root, { graceMs: 0 });

  expect(left.map(({ what }) => what)).toContain(`${file} is left`);
  expect(left.map(({ pid }) => pid)).toContain(inCommand.pid);
  if (process.platform === 'linux') expect(left.map(({ pid }) => pid)).toContain(inEnvironment.pid);
});

test('nothing is left of an empty folder', async () => {
  expect(await leftoversBelow(await folder())).toEqual([]);
});
