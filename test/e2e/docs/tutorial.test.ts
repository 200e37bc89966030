/** The tutorial's commands, as they stand in it, one block after the other in a shell: what it promises happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until } from '../drill/scenario.ts';

vi.setConfig({ testTimeout: 400_000 });

const page = await readFile('docs/tutorial.md', 'utf8');
const [demo = '', ...blocks] = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
/** Defined in the tutorial's second block, as in the terminal that it is read beside. */
const lifeboat = /^lifeboat\(\) .*$/m.exec(page)?.[0] ?? '';

let estate: ChildProcess;
let ended: Promise<unknown>;
let told = '';
let exported = '';

beforeAll(async () => {
  // Smaller, and with fewer customers: a slow terminal must not sell as much again as was deleted.
  const words = `${demo.trim().replace('20000', '2000')} --rate 20`.split(' ');
  // Its folder is a test's, and found by its name if it were left.
  const env = { ...process.env, TMPDIR: process.env.LIFEBOAT_TEST_ROOT ?? tmpdir() };
  estate = spawn(words[0] ?? '', words.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] });
  ended = new Promise((resolve) => {
    estate.once('exit', resolve);
  });
  for (const stream of [estate.stdout, estate.stderr])
    stream?.on('data', (text: Buffer) => {
      told += text.toString();
    });
  const said = until('the estate to say what to export', async () => /^ *(export .*)$/m.exec(told)?.[1], 170_000);
  exported = await Promise.race([said, ended.then(() => Promise.reject(new Error(`the demo has ended:\n${told}`)))]);
});

afterAll(async () => {
  estate.kill('SIGINT');
  await ended;
});

interface Said {
  exitCode?: number | undefined;
  stdout: string;
  all: string;
}

/** In a terminal of its own, as the tutorial says. */
async function typed(text: string): Promise<Said> {
  const script = [exported, lifeboat, text].join('\n');
  const { exitCode, stdout, all } = await execa('bash', ['-c', script], { reject: false, all: true, stdin: 'ignore' });
  return { exitCode, stdout, all };
}

/** Nobody sits at this terminal: what is asked is shown with its code, and said with it. */
async function approved(command: string): Promise<void> {
  const shown = await until(
    'people are asked',
    async () => {
      const { all } = await typed(command);
      return /--code (\S+)/.exec(all)?.[1];
    },
    240_000,
  );
  const { exitCode, all } = await typed(`${command} --code ${shown}`);
  expect(all).toContain('Counted');
  expect(exitCode).toBe(0);
}

const block = (start: string): string => {
  const found = blocks.find((one) => one.startsWith(start));
  if (found === undefined) throw new Error(`the tutorial has no block that begins with "${start}"`);
  return found;
};
const payments = (text: string) => [...text.matchAll(/^ *(\d+)$/gm)].map(([, count]) => Number(count));

test('from a backup over a mistake to the old data that nobody needs any more', async () => {
  const backup = await typed(block('lifeboat()'));
  expect(backup.all).toContain('COMPLETED');
  expect(backup.exitCode).toBe(0);

  const mistake = await typed(block("psql -c 'select count(*) from payments'\npsql -c 'delete"));
  const [before = 0, after = 0] = payments(mistake.stdout);
  expect(before).toBeGreaterThan(1_900);
  expect(after).toBeLessThan(before / 2);

  // As it says: what is not archived yet is found a little later.
  const lsn = await until(
    'the mistake is found',
    async () => {
      const { all } = await typed(block('lifeboat find'));
      return /rows of public\.payments[\s\S]*?before (0\/[0-9A-F]+)/.exec(all)?.[1];
    },
    120_000,
  );

  const planned = await typed(block('lifeboat start point-in-time-recovery orders --input').replace('LSN', lsn));
  expect(planned.all).toMatch(/PREVIEWED/);
  expect(planned.exitCode).toBe(0);

  const [start = ''] = block('lifeboat start point-in-time-recovery orders --mode live').split('\n');
  const { stdout } = await typed(start.replace('LSN', lsn));
  const run = stdout.split('\n')[0] ?? '';
  await approved(block('lifeboat approve RUN').trim().replace('RUN', run));
  expect((await typed(`lifeboat watch ${run}`)).all).toContain('RECOVERED');

  const back = await typed(block("psql -c 'select count(*) from payments'\nlifeboat report").replaceAll('RUN', run));
  expect(payments(back.stdout)[0]).toBeGreaterThanOrEqual(before);
  expect(back.stdout).toContain(run);

  const [status = '', accept = '', approve = ''] = block('lifeboat status').replaceAll('RUN', run).split('\n');
  const kept = await typed(status);
  expect(kept.stdout).toContain(`recovery RECOVERED  ${run}`);
  expect(kept.stdout.match(/kept on db\d until/g)).toHaveLength(2);
  const [acceptance = ''] = (await typed(accept)).stdout.split('\n');
  await approved(approve.replace('ACCEPTANCE', acceptance));
  expect((await typed(`lifeboat watch ${acceptance}`)).all).toContain('COMPLETED');
  expect((await typed(status)).stdout).not.toContain('kept on');
});
