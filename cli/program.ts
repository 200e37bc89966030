/** The command line as a whole. */
import { Command, CommanderError } from 'commander';
import { version } from '../workflows/version.ts';
import { abortCommand } from './abort.ts';
import { approveCommands } from './approve.ts';
import { archiveCommand } from './archive.ts';
import { type Cli, leave, withJson } from './cli.ts';
import { decideCommand } from './decide.ts';
import { diagnoseCommand } from './diagnose.ts';
import { doctorCommand } from './doctor.ts';
import { Silence } from './engine/engine.ts';
import { type ExitName, exitCodes, exitCodesInWords, exitMeanings } from './exit-codes.ts';
import { findCommand } from './find.ts';
import { keysCommand } from './keys.ts';
import { planCommands } from './plan.ts';
import { Problem } from './problem.ts';
import { readinessCommand } from './readiness.ts';
import { recoveryWindowCommand } from './recovery-window.ts';
import { reportCommand } from './report.ts';
import { schedulesCommand } from './schedules.ts';
import { startCommands } from './start.ts';
import { statusCommand } from './status.ts';
import { sweepCommand } from './sweep.ts';
import { watchCommand } from './watch.ts';

function lifeboat(cli: Cli): Command {
  const program = new Command('lifeboat')
    .description('Disaster-recovery runbooks for PostgreSQL-backed services, as durable Temporal workflows')
    .version(version)
    .showHelpAfterError('(lifeboat --help, or lifeboat help <command>)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal.result(text.trimEnd()),
      writeErr: (text) => cli.terminal.message(text.trimEnd()),
    })
    .addHelpText('after', `\nResults go to stdout, messages to stderr. Exit codes: lifeboat exit-codes`);
  startCommands(program, cli);
  watchCommand(program, cli);
  statusCommand(program, cli);
  approveCommands(program, cli);
  decideCommand(program, cli);
  abortCommand(program, cli);
  reportCommand(program, cli);
  recoveryWindowCommand(program, cli);
  readinessCommand(program, cli);
  diagnoseCommand(program, cli);
  schedulesCommand(program, cli);
  sweepCommand(program, cli);
  findCommand(program, cli);
  archiveCommand(program, cli);
  keysCommand(program, cli);
  planCommands(program);
  doctorCommand(program, cli);
  exitCodesCommand(program, cli);
  return program;
}

function exitCodesCommand(program: Command, cli: Cli): void {
  const command = program
    .command('exit-codes')
    .description('what the exit codes mean')
    .addHelpText('after', `\n${exitCodesInWords()}`);
  withJson(command).action((options: { json?: boolean }) => {
    const meanings = (Object.keys(exitCodes) as ExitName[]).map((name) => ({
      code: exitCodes[name],
      name,
      means: exitMeanings[name],
    }));
    cli.terminal.result(options.json ? JSON.stringify(meanings) : exitCodesInWords());
    leave(cli, 'good');
  });
}

/** Runs one command line, without the program's own name in `words`. Never throws. */
export async function run(cli: Cli, words: readonly string[]): Promise<void> {
  try {
    await lifeboat(cli).parseAsync([...words], { from: 'user' });
  } catch (error) {
    cli.terminal.passing('');
    fail(cli, words, error);
  }
}

function fail(cli: Cli, words: readonly string[], error: unknown): void {
  // Help and version are answers; for bad usage commander has already said what is wrong.
  if (error instanceof CommanderError && error.exitCode === 0) {
    leave(cli, 'good');
    return;
  }
  const { exit, message, type } = inWords(error);
  if (!(error instanceof CommanderError))
    cli.terminal.message(type === undefined ? message : startingWith(type, message));
  if (words.includes('--json'))
    cli.terminal.result(
      JSON.stringify({
        error: { code: exitCodes[exit], name: exit, ...(type === undefined ? {} : { type }), message },
      }),
    );
  leave(cli, exit);
}

function startingWith(type: string, message: string): string {
  return message.startsWith(`${type}:`) ? message : `${type}: ${message}`;
}

function inWords(error: unknown): { exit: ExitName; message: string; type?: string } {
  if (error instanceof Problem)
    return { exit: error.exit, message: error.message, ...(error.type === undefined ? {} : { type: error.type }) };
  if (error instanceof CommanderError) return { exit: 'badInput', message: error.message };
  if (error instanceof Silence) return { exit: 'engineUnreachable', message: `${error.message}. Try again.` };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exit: 'bug', message: `Lifeboat made a mistake, please report it: ${message}` };
}
