/** `lifeboat sweep`: shows what ended runs left behind, asks, and removes exactly that. */
import type { Command } from 'commander';
import type { Evidence, Leftover } from '../evidence/evidence.ts';
import { formatBytes } from '../evidence/format.ts';
import { removable } from '../evidence/leftovers.ts';
import { controlQueue, runbooks } from '../workflows/messages.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { Engine } from './engine/engine.ts';
import { exitOfRun } from './exit-codes.ts';
import { evidenceAtEnd } from './follow/evidence-at-end.ts';
import { follow } from './follow/follow.ts';
import { followRun } from './follow/follow-run.ts';
import { patient } from './follow/patient.ts';
import { checked } from './input.ts';
import { serviceMeant } from './plans.ts';
import { Problem } from './problem.ts';
import { requester } from './requester.ts';
import { runAsJson } from './run-as-json.ts';

interface SweepOptions extends UsualOptions {
  host?: string;
  yes?: boolean;
  dryRun?: boolean;
  as?: string;
}

export function sweepCommand(program: Command, cli: Cli): void {
  const command = program
    .command('sweep')
    .argument('[service]', 'as its plan names it')
    .description('what terminated, timed-out or lost runs left on the hosts: shows it, asks, removes it')
    .option('--host <name>', 'only on this host of the plan')
    .option('--yes', 'remove what is shown without asking')
    .option('--dry-run', 'show only; never ask, never remove')
    .option('--as <name>', 'who asks for it (default: your name and host)');
  withProfile(withJson(command)).action((service: string | undefined, options: SweepOptions) =>
    connected(cli, options, (engine) => sweep(cli, engine, options, service)),
  );
}

async function sweep(cli: Cli, engine: Engine, options: SweepOptions, given: string | undefined): Promise<void> {
  if (options.yes && options.dryRun)
    throw new Problem('badInput', '--yes and --dry-run contradict each other: give one of them.');
  if ((await engine.workers(controlQueue)).length === 0)
    throw new Problem(
      'nobodyWorks',
      `Nobody works on task queue ${controlQueue}: start lifeboat-control (namespace ${engine.namespace} at ${engine.address}), then sweep again.`,
    );
  const service = await serviceMeant(cli.environment, given);
  const asked = { service, host: options.host, requestedBy: options.as ?? requester(cli.environment) };
  const shown = await show(cli, engine, asked);
  const leftovers = shown.leftovers ?? [];
  const left = leftovers.filter(removable);
  if (!options.json) cli.terminal.result(leftoversInWords(shown, leftovers));
  const goOn = left.length > 0 && !options.dryRun && (options.yes || (await agreed(cli, options, left)));
  if (!goOn) {
    const { run, service: swept, doorClosed } = shown;
    if (options.json)
      cli.terminal.result(
        JSON.stringify({
          shownBy: run,
          service: swept,
          leftovers,
          ...(doorClosed === undefined ? {} : { doorClosed }),
        }),
      );
    return leave(cli, left.length === 0 && doorClosed === undefined ? 'good' : 'leftThere');
  }
  leave(cli, await remove(cli, engine, options, { ...asked, service: shown.service }, shown));
}

async function agreed(cli: Cli, options: SweepOptions, left: Leftover[]): Promise<boolean> {
  if (options.json) return false;
  const answer = await cli.confirm(`Remove ${left.length === 1 ? 'it' : `these ${left.length}`}?`);
  if (answer === undefined) cli.terminal.message('Nothing was removed: nobody can be asked here. Add --yes to remove.');
  else if (!answer) cli.terminal.message('Nothing was removed.');
  return answer === true;
}

type Asked = Record<'service' | 'host', string | undefined> & { requestedBy: string };

/** Looks by a dry run, which is kept like every run: it is what a removal is bound to. */
async function show(cli: Cli, engine: Engine, asked: Asked): Promise<Evidence> {
  const { run } = await start(engine, { ...asked, mode: 'dry-run' }, 'looks only');
  return evidenceAtEnd(cli, engine, run, {
    good: 'previewed',
    detached: `Stopped waiting; ${run} ends by itself, and removes nothing.`,
    waitsFor: ({ pending: [one] }) =>
      one === undefined ? 'looking ...' : `looking: ${one.id.replace(/^.*\/|\.\d+$/g, '').replaceAll('-', ' ')} ...`,
  });
}

async function remove(cli: Cli, engine: Engine, options: SweepOptions, asked: Asked, shown: Evidence) {
  const { run } = await start(
    engine,
    { ...asked, mode: 'live', shownBy: shown.run },
    `removes what ${shown.run} has shown`,
  );
  if (!options.json) return followRun(cli, engine, run, 'screen');
  const ending = await follow(engine.watch(run), quietly(cli, engine), new AbortController().signal, cli.pace);
  if (ending === undefined) return 'detached';
  cli.terminal.result(
    JSON.stringify({ shownBy: shown.run, leftovers: shown.leftovers ?? [], removal: runAsJson(run, ending) }),
  );
  return exitOfRun(ending.summary ?? ending);
}

function quietly(cli: Cli, engine: Engine) {
  return patient(cli.terminal, engine.address, cli.pace, () => 'removing ...');
}

function start(engine: Engine, input: Record<string, unknown>, what: string) {
  const wanted = checked('sweep', input);
  const { service } = wanted.input;
  return engine.start({
    type: runbooks.sweep,
    prefix: `${service === undefined ? '' : `${service}-`}sweep`,
    input: wanted.input,
    summary: `Sweep${service === undefined ? '' : ` of ${service}`} (${wanted.mode}): ${what}`,
  });
}

function leftoversInWords({ service, run, doorClosed }: Evidence, leftovers: Leftover[]): string {
  const left = leftovers.filter(removable);
  const others = leftovers.filter((one) => !removable(one));
  return [
    ...(doorClosed === undefined
      ? []
      : [
          `Nobody can write to ${service}, ${doorClosed.why}`,
          '  Sweep does not open a front door. By hand:',
          `  ${doorClosed.byHand}`,
          '',
        ]),
    left.length === 0
      ? `Nothing ${doorClosed === undefined ? '' : 'else '}was left behind by runs of ${service} (shown by ${run}).`
      : `Left behind by runs of ${service} (shown by ${run}):`,
    ...left.flatMap(oneInWords),
    ...(others.length === 0 ? [] : ['', 'Left alone:', ...others.flatMap(oneInWords)]),
  ].join('\n');
}

const sureness: Record<Leftover['verdict'], string> = {
  left: 'sure',
  'likely-left': 'likely',
  'in-use': 'in use',
  kept: 'kept on purpose',
  unknown: 'not known to be ours',
};

function oneInWords({ host, what, bytes, since, run, verdict, why }: Leftover): string[] {
  const facts = [
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
    ...(run === undefined ? [] : [`of ${run}`]),
    ...(since === undefined ? [] : [`since ${since.replace(/\.\d+Z$/, 'Z')}`]),
    sureness[verdict],
  ];
  return [`  ${host}  ${what}`, `       ${facts.join(', ')}: ${why}`];
}
