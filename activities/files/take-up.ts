/**
 * What runs on files takes new ones up. That it was told so proves nothing: nginx, with a port of its new configuration taken, passes its
 * test, ends its reload with 0, and serves on with the old one. New workers and an answer are the proof.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { formatDuration } from '../../evidence/format.ts';
import { runTool } from '../child.ts';
import type { Files } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import { childrenOf, isAlive } from '../processes.ts';
import type { Found } from '../shapes.ts';

type InUse = NonNullable<Files['inUse']>;

const commandWithinMs = 120_000;
/** The new ones are there at once, or never. */
const workersWithinMs = 15_000;
/** What has open connections then only ends these. */
const oldOnesWithinMs = 5_000;
const lookEveryMs = 100;

/** May be told again: what has taken them up already does so once more. @throws ReloadFailed @throws NotPermitted */
export async function takeUpFiles({ files }: { files: Files }): Promise<Found> {
  await permitFiles(files);
  const { inUse } = files;
  if (inUse === undefined)
    return {
      found: 'nothing that the plan names runs on them',
      expected: 'whoever reads them next reads the new ones',
    };
  const said = await takenUp(files, inUse);
  return { found: said, expected: 'its test passes, it has new workers, and it answers' };
}

async function takenUp(files: Files, inUse: InUse): Promise<string> {
  await tested(files, inUse);
  const before = await workersOf(inUse);
  if (before === 'not running')
    return `${inUse.test.join(' ')} passes; it does not run (${inUse.workers} names no living process), and reads the new files when it is started`;
  await told(files, inUse.reload, 'could not be told to reload');
  const workers = before === undefined ? '' : `; ${await renewed(files, inUse, before)}`;
  return `${inUse.test.join(' ')} passes, it was reloaded${workers}; ${await answering(files, inUse)}`;
}

/** Before anything takes them up: what does not pass would end what runs, or never come up again. */
async function tested(files: Files, { test }: InUse): Promise<void> {
  await told(files, test, 'does not accept the files');
}

async function told(files: Files, [program = '', ...words]: string[], otherwise: string): Promise<void> {
  const { code, stdout, stderr } = await runTool(program, words, { withinMs: commandWithinMs });
  if (code === 0) return;
  const said = `${stderr}\n${stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  throw failure(
    'ReloadFailed',
    `${[program, ...words].join(' ')} on ${files.host} ${otherwise} (exit code ${code}): ${said.slice(-3).join('; ').slice(0, 400) || 'it said nothing'}.`,
  );
}

/** Undefined where the plan names no pid file: nobody can tell. */
async function workersOf({ workers }: InUse): Promise<Set<string> | 'not running' | undefined> {
  if (workers === undefined) return undefined;
  const pid = Number((await readFile(workers, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return 'not running';
  return new Set(await childrenOf(pid));
}

async function renewed(files: Files, inUse: InUse, before: Set<string>): Promise<string> {
  const deadline = Date.now() + workersWithinMs;
  for (;;) {
    const now = await workersOf(inUse);
    if (now === 'not running' || now === undefined)
      throw failure(
        'ReloadFailed',
        `what ${inUse.workers} named on ${files.host} has ended when it was reloaded. See its log, and start it.`,
      );
    const fresh = [...now].filter((one) => !before.has(one));
    if (fresh.length > 0)
      return `${fresh.length} new ${fresh.length === 1 ? 'worker' : 'workers'}${await oldOnesGone(inUse, before)}`;
    if (Date.now() > deadline)
      throw failure(
        'ReloadFailed',
        `${inUse.reload.join(' ')} ended well on ${files.host}, and ${formatDuration(workersWithinMs)} later there is no new worker: it serves on with the old files. Often a port that it is to listen on is taken; its log says which.`,
      );
    await rest();
  }
}

/** For a moment they take questions beside the new ones: an answer of theirs would prove nothing. */
async function oldOnesGone(inUse: InUse, before: Set<string>): Promise<string> {
  const deadline = Date.now() + oldOnesWithinMs;
  for (;;) {
    const now = await workersOf(inUse);
    const left = typeof now === 'object' ? [...now].filter((one) => before.has(one)).length : 0;
    if (left === 0) return '';
    if (Date.now() > deadline)
      return `, and ${left} of the old ones, which still ${left === 1 ? 'ends' : 'end'} what was begun`;
    await rest();
  }
}

/** @throws ReloadFailed */
async function answering(files: Files, { healthy }: InUse): Promise<string> {
  const deadline = Date.now() + healthy.within;
  for (let last = ''; ; ) {
    const { good, words } = await answer(healthy, Math.max(1_000, deadline - Date.now()));
    if (good) return words;
    last = words;
    if (Date.now() > deadline)
      throw failure(
        'ReloadFailed',
        `${healthy.url} is not healthy on ${files.host}, ${formatDuration(healthy.within)} after the files were taken up: ${last}. See its log.`,
      );
    await rest();
  }
}

const longestAnswer = 64 * 1024;

async function answer(
  { url, status, contains }: InUse['healthy'],
  withinMs: number,
): Promise<{ good: boolean; words: string }> {
  const expected = contains === undefined ? `${status}` : `${status} with "${contains}"`;
  try {
    const { stop, over } = stopping(Math.min(withinMs, 10_000));
    try {
      // One connection for one question: what an old worker still holds open would be answered by it.
      const response = await fetch(url, { redirect: 'manual', signal: stop, headers: { connection: 'close' } });
      const text = (await response.text()).slice(0, longestAnswer);
      if (response.status !== status)
        return { good: false, words: `it answers ${response.status}, expected ${expected}` };
      if (contains !== undefined && !text.includes(contains))
        return { good: false, words: `its answer lacks "${contains}"` };
      return { good: true, words: `${url} answers ${expected}` };
    } finally {
      over();
    }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
    return {
      good: false,
      words: `it does not answer (${cause ?? (error instanceof Error ? error.message : String(error))})`,
    };
  }
}

function stopping(ms: number): { stop: AbortSignal; over: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${formatDuration(ms)}`)), ms);
  return {
    stop: AbortSignal.any([controller.signal, Context.current().cancellationSignal]),
    over: () => clearTimeout(timer),
  };
}

async function rest(): Promise<void> {
  Context.current().cancellationSignal.throwIfAborted();
  await wait(lookEveryMs);
}

/** As the plan says what healthy is, whatever was done before. @throws ReloadFailed */
export async function filesServe({ files }: { files: Files }): Promise<Found> {
  await permitFiles(files);
  const { inUse } = files;
  if (inUse === undefined) return { found: 'nothing that the plan names runs on them' };
  if ((await workersOf(inUse)) === 'not running')
    return {
      found: `it does not run: ${inUse.workers} names no living process`,
      expected: 'whoever starts it finds the files',
    };
  return { found: await answering(files, inUse), expected: 'it answers as the plan says' };
}

/** After the old files are back. What then goes wrong is told, and stops nothing: the files are what they were. */
export async function takenUpAgain(files: Files): Promise<string> {
  if (files.inUse === undefined) return '';
  try {
    return `taken up again: ${await takenUp(files, files.inUse)}`;
  } catch (error) {
    if (error instanceof Error && error.name === 'CancelledFailure') throw error;
    return `not taken up again: ${error instanceof Error ? error.message : String(error)}`;
  }
}
