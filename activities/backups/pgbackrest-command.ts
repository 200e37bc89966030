import type { PhysicalBackups } from '../../plan/schema.ts';
import { type Ended, runTool } from '../child.ts';

/** Found on PATH, as on any host with pgBackRest. */
export const program = 'pgbackrest';

/** Errors go to stderr, so that stdout is only the answer; reading leaves no log behind. */
const quiet = ['--log-level-console=off', '--log-level-stderr=warn', '--log-level-file=off'];

export function ask(backups: PhysicalBackups, command: string, words: string[], withinMs = 300_000): Promise<Ended> {
  return runTool(program, [...base(backups), ...quiet, command, ...words], { withinMs });
}

export function base(backups: PhysicalBackups): string[] {
  return [`--config=${backups.config}`, `--stanza=${backups.stanza}`];
}
