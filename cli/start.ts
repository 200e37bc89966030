/** `lifeboat drill`, `backup`, `anchor`, `accept` and `start`: check the input, start the run, follow it. */
import { type Command, Option } from 'commander';
import { startStatement } from '../evidence/statements.ts';
import { controlQueue, type RunbookName, type RunInput, runbooks } from '../workflows/messages.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { Engine, Order } from './engine/engine.ts';
import { followRun } from './follow/follow-run.ts';
import { checked, inputFromJson, merged, runbookNamed, type Wanted } from './input.ts';
import { type IdentityOptions, type Me, whoStarts } from './keys/me.ts';
import { orderOf, summaryOf } from './order.ts';
import { serviceMeant } from './plans.ts';
import { Problem } from './problem.ts';
import { requester } from './requester.ts';

interface StartOptions extends UsualOptions, IdentityOptions {
  detach?: boolean;
  dryRun?: boolean;
}

export function startCommands(program: Command, cli: Cli): void {
  usual(program.command('drill').argument('[service]', 'as its plan names it'))
    .description('the monthly drill: restore on an isolated server, prove, measure; production is not touched')
    .option(
      '--target <time>',
      'recover to this moment, with its offset (2026-11-21T14:00:00Z); else the newest archived',
    )
    .action((service: string | undefined, options: StartOptions & { target?: string }) => {
      const mode = options.dryRun ? 'dry-run' : 'drill';
      return start(cli, options, 'monthly-drill', { service, mode, target: options.target });
    });

  usual(program.command('backup').argument('[service]', 'as its plan names it'))
    .description('take a backup of the primary, and note an anchor that restores are compared with')
    .addOption(new Option('--type <type>', 'what kind').choices(['full', 'differential', 'incremental']))
    .action((service: string | undefined, options: StartOptions & { type?: string }) => {
      const mode = options.dryRun ? 'dry-run' : 'live';
      return start(cli, options, 'backup', { service, mode, type: options.type });
    });

  usual(program.command('anchor').argument('[service]', 'as its plan names it'))
    .description('note what the critical tables hold at one LSN, between two backups: restores are compared with it')
    .action((service: string | undefined, options: StartOptions) => {
      const mode = options.dryRun ? 'dry-run' : 'live';
      return start(cli, options, 'anchor', { service, mode });
    });

  usual(program.command('accept').argument('<run>', 'the recovery that is accepted'))
    .argument('[service]', 'as its plan names it')
    .description('accept a recovery: people say yes, and the old data directories that it has set aside are removed')
    .action((recovery: string, service: string | undefined, options: StartOptions) => {
      const mode = options.dryRun ? 'dry-run' : 'live';
      return start(cli, options, 'accept', { service, mode, recovery });
    });

  usual(program.command('start').argument('<runbook>', `one of ${Object.keys(runbooks).join(', ')}`))
    .argument('[service]', 'as its plan names it')
    .description('start any runbook by its name; most are dry runs unless --mode says otherwise')
    .option('--mode <mode>', 'live, drill or dry-run')
    .option('--input <json>', 'further input, one JSON object')
    .action((name: string, service: string | undefined, options: StartOptions & { mode?: string; input?: string }) => {
      const runbook = runbookNamed(name);
      const mode = modeAsked(options);
      const json = options.input === undefined ? {} : inputFromJson(options.input);
      return start(cli, options, runbook, merged(json, { service, mode }));
    });
}

function modeAsked({ mode, dryRun }: { mode?: string; dryRun?: boolean }): string | undefined {
  if (!dryRun) return mode;
  if (mode === undefined || mode === 'dry-run') return 'dry-run';
  throw new Problem('badInput', `--mode ${mode} and --dry-run contradict each other: give one of them.`);
}

function usual(command: Command): Command {
  command
    .option('--dry-run', 'look and say what would be done; change nothing')
    .option('--detach', 'start it and return at once')
    .option(
      '--as <name>',
      'who asks for it, as the plan names you (else LIFEBOAT_PERSON, the only key here, your name and host)',
    )
    .option(
      '--key <file>',
      'the private key to sign the start with (else LIFEBOAT_KEY, else your own in the key folder)',
    );
  return withProfile(withJson(command));
}

async function start(
  cli: Cli,
  options: StartOptions,
  runbook: RunbookName,
  given: Record<string, unknown>,
): Promise<void> {
  // What could be no service's name at all is refused first, in words of its own.
  const named = checked(runbook, { ...given, requestedBy: given.requestedBy ?? options.as ?? 'somebody' });
  const service = await serviceMeant(cli.environment, named.input.service);
  const me = given.requestedBy === undefined ? await whoStarts(cli, options) : {};
  const requestedBy = given.requestedBy ?? me.person ?? requester(cli.environment);
  const wanted = checked(runbook, { ...named.input, service, requestedBy });
  await connected(cli, options, async (engine) => {
    await sayWhenNobodyWorks(cli, engine);
    const started = await engine.start({ ...orderOf(wanted), ...signed(wanted.input, me) });
    if (options.detach) return detached(cli, options, wanted, started);
    if (!options.json) cli.terminal.message(`Started ${started.run}: ${summaryOf(wanted)}.`);
    leave(cli, await followRun(cli, engine, started.run, options.json ? 'document' : 'screen'));
  });
}

/** With the key of whoever starts it the run knows for certain who that is, and asks one person less. */
function signed(input: RunInput & Record<string, unknown>, { person, sign }: Partial<Me>): Pick<Order, 'sign'> {
  if (person === undefined || sign === undefined) return {};
  return { sign: (run) => sign(startStatement(run, person, input)) };
}

/** A warning, not a refusal: the run is kept, and begins once a worker is there. */
async function sayWhenNobodyWorks(cli: Cli, engine: Engine): Promise<void> {
  if ((await engine.workers(controlQueue)).length > 0) return;
  cli.terminal.message(
    `Nobody works on task queue ${controlQueue}: the run waits until lifeboat-control is started (namespace ${engine.namespace} at ${engine.address}).`,
  );
}

function detached(cli: Cli, options: UsualOptions, wanted: Wanted, started: { run: string; runId: string }): void {
  const { runbook, mode, input } = wanted;
  cli.terminal.result(
    options.json
      ? JSON.stringify({ ...started, status: 'running', runbook, mode, service: input.service ?? null })
      : `${started.run}\n${summaryOf(wanted)}. Watch it: lifeboat watch ${started.run}`,
  );
  leave(cli, 'good');
}
