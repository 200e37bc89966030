import { execa } from 'execa';
import type { Account } from './account.ts';
import { childEnvironment } from './environment.ts';

export interface CommandOptions {
  /** Whose rights it runs with; the caller's when absent. */
  account?: Account;
  env?: Record<string, string>;
  input?: string;
  signal?: AbortSignal;
}

/** Runs a command to its end and returns what it printed; a failure carries its last lines. */
export async function command(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await execa(file, args, {
    ...(options.account?.ids ?? {}),
    cwd: '/',
    env: childEnvironment(options.env ?? {}, options.account),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal ? { cancelSignal: options.signal } : {}),
    all: true,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  options.signal?.throwIfAborted();
  const why = result.exitCode === undefined ? (result.originalMessage ?? 'it was ended') : `exit ${result.exitCode}`;
  throw new Error(`${[file, ...args].join(' ')} failed (${why}):\n${lastLines(result.all ?? '', 15)}`);
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
