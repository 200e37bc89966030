import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { PhysicalBackups } from '../../plan/schema.ts';
import { type Ended, runTool } from '../child.ts';
import { failure } from '../failure.ts';

/** Found on PATH, as on any host with pgBackRest. */
export const program = 'pgbackrest';

/** Errors go to stderr, so that stdout is only the answer; reading leaves no log behind. */
const quiet = ['--log-level-console=off', '--log-level-stderr=warn', '--log-level-file=off'];

export interface Asking {
  /** How long the store may say nothing; pgBackRest asks it again for as long, and then some. Its own default is 60. */
  silentSeconds?: number;
  withinMs?: number;
  stop?: AbortSignal;
}

/** Small questions: what is away is noticed, and waited for by Lifeboat itself. */
const usual = { silentSeconds: 20, withinMs: 300_000 };

export function ask(backups: PhysicalBackups, command: string, words: string[], asking: Asking = {}): Promise<Ended> {
  const { silentSeconds, ...limits } = { ...usual, ...asking };
  return runTool(program, [...base(backups), ...quiet, `--io-timeout=${silentSeconds}`, command, ...words], limits);
}

export function base(backups: PhysicalBackups): string[] {
  return [`--config=${backups.config}`, `--stanza=${backups.stanza}`];
}

/**
 * One process, pgBackRest's own choice, leaves most of a machine idle while people wait. Where the administrator has chosen a number,
 * it stands.
 */
export async function sideBySide(backups: PhysicalBackups): Promise<string[]> {
  const configuration = await readFile(backups.config, 'utf8').catch(() => '');
  const chosen = process.env.PGBACKREST_PROCESS_MAX !== undefined || /^\s*process-max\s*=/m.test(configuration);
  return chosen ? [] : [`--process-max=${Math.max(2, availableParallelism())}`];
}

/** pgBackRest makes names of files of it, of locks and logs: `../` in it would lead out of their directory. */
export function refuseStrangeName(what: string, name: string): void {
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))
    throw failure(
      'PlanInvalid',
      `the ${what} ${JSON.stringify(name)} is no plain name: expected letters, digits, ".", "_" and "-". Correct the plan's backups.physical.`,
    );
}
