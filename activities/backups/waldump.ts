/** pg_waldump, line by line as it writes: what it reads can be far more than fits into memory. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { killed, toolEnvironment } from '../child.ts';
import { currentActivity } from '../current-activity.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';

/** Answers `false` when it has seen enough. */
type OnLine = (line: string) => unknown;

export interface Dumped {
  code: number;
  /** The end of what it wrote to stderr. */
  said: string;
  /** `onLine` wanted no more. */
  stopped: boolean;
}

/**
 * Runs pg_waldump in `directory` and hands over what it prints. It waits while `onLine` works.
 *
 * @throws ToolKilled what it had not printed yet would read as if there were nothing more
 */
export async function waldump(
  permit: Pick<Permit, 'postgresql'>,
  directory: string,
  words: string[],
  onLine: OnLine,
): Promise<Dumped> {
  const program = join(permit.postgresql, 'pg_waldump');
  const signal = currentActivity()?.cancellationSignal;
  const child = spawn(program, [`--path=${directory}`, ...words], {
    cwd: directory,
    // Times are printed in the zone of the process.
    env: toolEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let stopped = false;
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4_000);
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(signal?.aborted ? error : unavailable(program, error)));
    child.on('close', (code, by) => {
      if (by !== null && !stopped && signal?.aborted !== true) reject(killed(program, by));
      else resolve(code ?? 0);
    });
  });
  const reading = (async () => {
    const lines = new Lines();
    for await (const chunk of child.stdout) {
      if (lines.take(chunk, onLine)) continue;
      stopped = true;
      child.kill('SIGTERM');
      return;
    }
  })();
  try {
    const [code] = await Promise.all([ended, reading]);
    if (signal?.aborted) throw new CancelledFailure('reading the WAL was cancelled');
    return { code: stopped ? 0 : code, said, stopped };
  } catch (error) {
    child.kill('SIGKILL');
    await ended.catch(() => undefined);
    if (signal?.aborted) throw new CancelledFailure('reading the WAL was cancelled');
    throw error;
  }
}

/** Cuts what a program writes into lines, many times faster than readline: all of it is plain ASCII. */
class Lines {
  #rest: string[] = [];

  /** @returns false when `onLine` has seen enough */
  take(chunk: Buffer, onLine: OnLine): boolean {
    const text = chunk.toString('latin1');
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = this.#rest.length === 0 ? text.slice(from, end) : this.#joined(text.slice(0, end));
      from = end + 1;
      if (onLine(line) === false) return false;
    }
    if (from < text.length) this.#rest.push(text.slice(from));
    return true;
  }

  #joined(end: string): string {
    const line = this.#rest.join('') + end;
    this.#rest = [];
    return line;
  }
}

function unavailable(program: string, error: NodeJS.ErrnoException): Error {
  return failure(
    'NotPermitted',
    `${program} cannot be run here (${error.code ?? error.message}); expected it to be installed. Install PostgreSQL's server package, or correct "postgresql:" in the permit file.`,
  );
}

/** WAL that cannot be right. That the last record goes on in a segment which is not there is no damage. */
export const damage =
  /incorrect |invalid magic|invalid info|unexpected pageaddr|invalid resource manager|out-of-sequence/;

export function damaged(what: string, said: string): Error {
  return failure(
    'BackupCorrupt',
    `${what} in the archive is damaged: ${said.trim().slice(-300)}. Nothing after it can be recovered. Take a new backup, and find out what damaged it.`,
  );
}
