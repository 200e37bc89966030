/** What every command is given; tests give it something else. */
import type { Command } from 'commander';
import type { Engine } from './engine/engine.ts';
import { type ExitName, exitCodes } from './exit-codes.ts';
import type { Pace } from './follow/follow.ts';
import type { Terminal } from './terminal.ts';

export interface Cli {
  terminal: Terminal;
  environment: Record<string, string | undefined>;
  connect(profile?: string): Promise<Engine>;
  /** Calls `stop` at the next Ctrl-C; the returned function gives Ctrl-C back. */
  onInterrupt(stop: () => void): () => void;
  exit(code: number): void;
  /** Whether somebody sits here who can be asked. */
  attended: boolean;
  /** A question to be answered with y or n; `undefined` where nobody can answer. */
  confirm(question: string): Promise<boolean | undefined>;
  /** A question whose answer is not shown while it is typed; `undefined` where nobody can answer. */
  askSecret(question: string): Promise<string | undefined>;
  /** How often a run is looked at. */
  pace: Pace;
}

export interface UsualOptions {
  json?: boolean;
  profile?: string;
}

export function withJson(command: Command, what = 'one JSON document on stdout'): Command {
  return command.option('--json', what);
}

export function withProfile(command: Command): Command {
  return command.option(
    '--profile <name>',
    "Temporal's connection profile (else TEMPORAL_PROFILE, TEMPORAL_ADDRESS, ...)",
  );
}

export function leave(cli: Cli, exit: ExitName): void {
  cli.exit(exitCodes[exit]);
}

/** Runs `body` with a connection that is closed afterwards. */
export async function connected<T>(cli: Cli, options: UsualOptions, body: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await cli.connect(options.profile);
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}
