/** `lifeboat schedules`: what the plans want to have run, and what the Temporal server runs. */
import { type Command, InvalidArgumentError } from 'commander';
import { scheduleEntries } from '../plan/schedule-entries.ts';
import { nextTimes } from '../plan/schedule-times.ts';
import type { Plan } from '../plan/schema.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { Engine } from './engine/engine.ts';
import { plansHere } from './plans.ts';
import { apply, type Difference, differences } from './schedules/difference.ts';
import { listed } from './schedules/list.ts';
import { pauseCommands } from './schedules/pause.ts';
import { removeCommand } from './schedules/remove.ts';
import { countsInWords, differencesInWords, listInWords, timesInWords } from './schedules/words.ts';

export function schedulesCommand(program: Command, cli: Cli): void {
  const command = program
    .command('schedules')
    .description(
      'backups, anchors and the monthly drill, as the plans in LIFEBOAT_PLANS want them to run by themselves',
    );

  usual(command.command('list', { isDefault: true }))
    .description('each schedule: when it runs next, what came of its last run, whether it is paused, what differs')
    .action((options: UsualOptions) =>
      withPlans(cli, options, async (engine, plans) => {
        const all = await listed(engine, await differences(engine.schedules, plans));
        cli.terminal.result(options.json ? JSON.stringify({ schedules: all }) : listInWords(all));
        await sayWhatHasNoPlan(cli, engine, plans);
      }),
    );

  usual(command.command('diff'))
    .description('what apply would do; the exit code is 7 when that is anything')
    .action((options: UsualOptions) =>
      withPlans(cli, options, async (engine, plans) => {
        const all = await differences(engine.schedules, plans);
        show(cli, options, all, false);
        if (all.some(({ change }) => change !== 'keep')) leave(cli, 'differs');
      }),
    );

  usual(command.command('apply'))
    .description('make the server do what the plans say; pauses stay, schedules of other services are not touched')
    .option('--dry-run', 'only say what would be done')
    .action((options: UsualOptions & { dryRun?: boolean }) =>
      withPlans(cli, options, async (engine, plans) => {
        const all = await differences(engine.schedules, plans);
        if (options.dryRun) return show(cli, options, all, false);
        const done: Difference[] = [];
        for (const one of all) done.push(await apply(engine.schedules, one));
        show(cli, options, done, true);
        if (done.some(({ change }) => change === 'leave')) leave(cli, 'refused');
      }),
    );

  withJson(command.command('next'))
    .description('the next times of each schedule by the plan alone; Temporal is not asked')
    .option('--count <number>', 'how many of each', countOf, 12)
    .action(async (options: UsualOptions & { count: number }) => {
      const now = new Date();
      const { plans, notes } = await plansHere(cli.environment);
      const all = plans.flatMap((plan) => timesOf(plan, now, options.count));
      cli.terminal.result(options.json ? JSON.stringify({ schedules: all }) : timesInWords(all));
      told(cli, notes);
    });

  pauseCommands(command, cli);
  removeCommand(command, cli);
}

function usual(command: Command): Command {
  return withProfile(withJson(command));
}

/** A plan that cannot be read hides its own service only; the exit code tells. */
async function withPlans(
  cli: Cli,
  options: UsualOptions,
  body: (engine: Engine, plans: Plan[]) => Promise<void>,
): Promise<void> {
  const { plans, notes } = await plansHere(cli.environment);
  await connected(cli, options, async (engine) => {
    leave(cli, 'good');
    await body(engine, plans);
  });
  told(cli, notes);
}

/** They go on, whoever has their plans; of a service that is gone they would go on for ever. */
async function sayWhatHasNoPlan(cli: Cli, engine: Engine, plans: readonly Plan[]): Promise<void> {
  const others = (await engine.schedules.all()).filter((one) => plans.every((plan) => plan.service !== one.service));
  if (others.length > 0)
    cli.terminal.message(
      `Left alone, for want of a plan here: ${others.map(({ id }) => id).join(', ')}. Of a service that is gone: lifeboat schedules remove <service>`,
    );
}

function told(cli: Cli, notes: readonly string[]): void {
  for (const note of notes) cli.terminal.message(note);
  if (notes.length > 0) leave(cli, 'badInput');
}

function show(cli: Cli, options: UsualOptions, all: readonly Difference[], done: boolean): void {
  if (options.json) {
    const changes = all.map(({ id, service, name, change, says }) => ({ id, service, name, change, says }));
    cli.terminal.result(JSON.stringify({ applied: done, changes }));
    return;
  }
  if (all.length > 0) cli.terminal.result(`${differencesInWords(all)}\n`);
  cli.terminal.result(countsInWords(all, done));
}

function timesOf(plan: Plan, now: Date, count: number) {
  return scheduleEntries(plan).map(({ name, words, schedule }) => ({
    service: plan.service,
    name,
    words,
    times: nextTimes(schedule, now, count).map((time) => time.toISOString()),
  }));
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('write a whole number from 1 to 1000');
  return count;
}
