/** `lifeboat schedules remove`: of a service that is gone. Nobody else takes its schedules away, and they would go on for ever. */
import type { Command } from 'commander';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from '../cli.ts';
import type { Engine } from '../engine/engine.ts';
import { knownPlans } from '../plans.ts';
import { Problem } from '../problem.ts';
import { named, type Target, unknown } from './named.ts';

interface RemoveOptions extends UsualOptions {
  yes?: boolean;
}

export function removeCommand(schedules: Command, cli: Cli): void {
  const command = schedules
    .command('remove')
    .argument('<name>', 'billing, or billing/full-backup: of a service that has no plan here any more')
    .description('end the schedules of a service whose plan is gone: shows them, asks; what is running goes on')
    .option('--yes', 'remove them without asking');
  withProfile(withJson(command)).action((name: string, options: RemoveOptions) =>
    connected(cli, options, (engine) => remove(cli, engine, options, name)),
  );
}

async function remove(cli: Cli, engine: Engine, options: RemoveOptions, name: string): Promise<void> {
  const known = await engine.schedules.all();
  const targets = named(known, name);
  if (targets.length === 0) throw unknown(known, name);
  await refuseWithPlan(cli, targets);
  const what = targets.map((one) => `${one.service}/${one.name}`);
  const goOn = options.yes || (!options.json && (await agreed(cli, what)));
  for (const { id } of goOn ? targets : []) await engine.schedules.remove(id);
  const removed = goOn ? what : [];
  if (options.json) cli.terminal.result(JSON.stringify({ schedules: targets.map(({ id }) => id), removed }));
  else for (const one of removed) cli.terminal.result(`${one} removed: it starts nothing any more`);
  leave(cli, goOn ? 'good' : 'notSent');
}

/**
 * With a plan, the plan decides: what it no longer has goes with apply, and what it has would come back with it.
 *
 * @throws Problem there is a plan, or one that cannot be read and may be the service's
 */
async function refuseWithPlan(cli: Cli, targets: readonly Target[]): Promise<void> {
  const { plans, notes } = await knownPlans(cli.environment);
  const planned = targets.find(({ service }) => plans.some((plan) => plan.service === service));
  if (planned !== undefined)
    throw new Problem(
      'refused',
      `${planned.service} has a plan here: take the schedule out of the plan, then lifeboat schedules apply; or stop it for a while with lifeboat schedules pause.`,
    );
  if (notes.length > 0)
    throw new Problem(
      'badInput',
      `${notes.join('\n')}\nIt may be the plan of ${targets[0]?.service}: mend it (lifeboat plan validate), then remove again.`,
      'PlanInvalid',
    );
}

async function agreed(cli: Cli, what: readonly string[]): Promise<boolean> {
  cli.terminal.result(`These would start nothing any more: ${what.join(', ')}`);
  const answer = await cli.confirm(`Remove ${what.length === 1 ? 'it' : `these ${what.length}`}?`);
  if (answer === undefined) cli.terminal.message('Nothing was removed: nobody can be asked here. Add --yes to remove.');
  else if (!answer) cli.terminal.message('Nothing was removed.');
  return answer === true;
}
