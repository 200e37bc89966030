/** `lifeboat schedules pause` and `resume`: of one schedule, of a service, or of all. Apply leaves a pause as it is. */
import type { Command } from 'commander';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from '../cli.ts';
import type { Schedules } from '../engine/schedule.ts';
import { plansHere } from '../plans.ts';
import { Problem } from '../problem.ts';
import { requester } from '../requester.ts';
import { named, type Target, unknown } from './named.ts';

interface PauseOptions extends UsualOptions {
  reason?: string;
  as?: string;
}

const whatName = 'orders, orders/full-backup, or full-backup where there is one service; all of the plans without it';

type Done = Target & { did: 'paused' | 'resumed' | 'nothing'; note: string };

export function pauseCommands(schedules: Command, cli: Cli): void {
  usual(schedules.command('pause'))
    .description('start nothing until it is resumed; what is running goes on')
    .requiredOption('--reason <text>', 'why: shown wherever the schedule is')
    .action((name: string | undefined, options: PauseOptions) => {
      const reason = reasonOf(options);
      return each(cli, options, name, async (all, target) => {
        const known = await all.read(target.id);
        if (known === undefined) throw gone(target);
        if (known.paused) return { ...target, did: 'nothing', note: `is paused already: ${known.note ?? ''}` };
        const note = `${reason} (${options.as ?? requester(cli.environment)})`;
        await all.pause(target.id, note);
        return { ...target, did: 'paused', note };
      });
    });

  usual(schedules.command('resume'))
    .description('let it run again, from its next time on')
    .action((name: string | undefined, options: PauseOptions) =>
      each(cli, options, name, async (all, target) => {
        const known = await all.read(target.id);
        if (known === undefined) throw gone(target);
        if (!known.paused) return { ...target, did: 'nothing', note: 'is not paused' };
        const note = `resumed by ${options.as ?? requester(cli.environment)}`;
        await all.resume(target.id, note);
        return { ...target, did: 'resumed', note };
      }),
    );
}

/** Whoever finds it paused at night has nothing but this. */
function reasonOf({ reason = '' }: PauseOptions): string {
  if (reason.trim() !== '') return reason.trim();
  throw new Problem('badInput', '--reason says nothing: write why, as in --reason "the store moves".');
}

function usual(command: Command): Command {
  command.argument('[name]', whatName).option('--as <name>', 'who asks for it (default: your name and host)');
  return withProfile(withJson(command));
}

async function each(
  cli: Cli,
  options: PauseOptions,
  name: string | undefined,
  act: (all: Schedules, target: Target) => Promise<Done>,
): Promise<void> {
  const services = name === undefined ? (await plansHere(cli.environment)).plans.map(({ service }) => service) : [];
  await connected(cli, options, async ({ schedules }) => {
    const known = await schedules.all();
    const targets = name === undefined ? known.filter(({ service }) => services.includes(service)) : named(known, name);
    if (targets.length === 0) throw unknown(known, name);
    const done: Done[] = [];
    for (const { id, service, name: what } of targets) done.push(await act(schedules, { id, service, name: what }));
    const lines = done.map(
      (one) => `${one.service}/${one.name} ${one.did === 'nothing' ? '' : `${one.did}: `}${one.note}`,
    );
    cli.terminal.result(options.json ? JSON.stringify({ schedules: done }) : lines.join('\n'));
    leave(cli, 'good');
  });
}

function gone({ service, name }: Target): Problem {
  return new Problem('notFound', `${service}/${name} is no longer on the server: lifeboat schedules apply`);
}
