/** Filling a cache by the command of the plan, no faster than the plan says. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { execa } from 'execa';
import { formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { toolEnvironment } from '../child.ts';
import type { CacheHostChanges } from '../contract.ts';
import { currentActivity } from '../current-activity.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { loadPermit, type Permit, permitCommand, realOrSame, realPlace } from '../permit.ts';
import { lastLines } from '../tail.ts';
import { inTemporary } from '../temporary.ts';

type Ask = Parameters<CacheHostChanges['warmCache']>[0];

export async function warmCache(ask: Ask): ReturnType<CacheHostChanges['warmCache']> {
  const { warm, master } = ask;
  const [file = '', ...words] = warm.command;
  const permit = await loadPermit();
  await permitCommand(permit, file);
  if (warm.keys !== undefined) await permitKeys(permit, warm.keys);
  const given = { count: 0 };
  const began = performance.now();
  return inTemporary('warm', async (folder) => {
    const log = join(folder, 'said.log');
    const ended = await beating(
      () => ({ keys: given.count }),
      () =>
        execa(file, words, {
          cwd: '/',
          env: toolEnvironment({
            LIFEBOAT_REDIS_HOST: master.host,
            LIFEBOAT_REDIS_PORT: String(master.port),
            LIFEBOAT_WARM_RATE: String(warm.rate),
          }),
          extendEnv: false,
          stdin: warm.keys === undefined ? 'ignore' : paced(warm.keys, warm.rate, given),
          stdout: { file: log },
          stderr: { file: log },
          buffer: false,
          reject: false,
          timeout: warm.within,
          cancelSignal: currentActivity()?.cancellationSignal ?? new AbortController().signal,
          forceKillAfterDelay: 5_000,
        }),
    );
    if (ended.isCanceled) throw new CancelledFailure(`${file} was cancelled`);
    const tookMs = Math.round(performance.now() - began);
    const said = await lastLines(log, 3).catch(() => []);
    if (ended.failed) throw coldStill(ask, ended, said);
    return {
      ...(warm.keys === undefined ? {} : { keys: given.count }),
      tookMs,
      found: `${file} ended well in ${formatDuration(tookMs)}${warm.keys === undefined ? '' : `, given ${formatNumberOf(given.count, 'key')} (${perSecond(given.count, tookMs)})`}: ${said.at(-1) ?? 'without a word'}`,
      expected: `${warm.rate} a second at the most`,
    };
  });
}

function coldStill(
  { warm }: Ask,
  ended: { timedOut: boolean; exitCode?: number; shortMessage?: string },
  said: string[],
): Error {
  const how = ended.timedOut
    ? `did not end within ${formatDuration(warm.within)}`
    : `ended with ${ended.exitCode === undefined ? ended.shortMessage : `exit code ${ended.exitCode}`}`;
  return failure(
    'CacheCold',
    `${warm.command[0]} ${how}, expected 0. It said: ${said.join(' | ').slice(0, 400) || 'nothing'}. The cache serves, and is as full as it is: run the command by hand, or let it fill by itself.`,
  );
}

/** Lines of the file, so many a second: whoever reads slower is given them slower. */
async function* paced(file: string, rate: number, given: { count: number }): AsyncGenerator<string> {
  // Opened first: a stream tells late that there is no such file.
  const handle = await open(file);
  const began = performance.now();
  for await (const line of createInterface({ input: createReadStream('', { fd: handle }) })) {
    if (line === '') continue;
    const early = (given.count / rate) * 1_000 - (performance.now() - began);
    if (early > 5) await wait(early);
    given.count += 1;
    yield `${line}\n`;
  }
}

/** What is read is handed to a program: not any file of the host. @throws NotPermitted */
async function permitKeys(permit: Permit, file: string): Promise<void> {
  const real = await realPlace(file, permit);
  for (const one of permit.warmKeys) if ((await realOrSame(one)) === real) return;
  throw failure(
    'NotPermitted',
    `${file} is not permitted by ${permit.file}. If it is meant, an administrator of this host adds the line "- ${real}" under "warmKeys:" there.`,
  );
}

function perSecond(count: number, ms: number): string {
  return `${Math.round((count / Math.max(1, ms)) * 1_000)} a second`;
}
