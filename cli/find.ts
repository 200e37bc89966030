/** `lifeboat find`: which transaction did it, and the target just before it. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { renderSearch } from '../evidence/render/terminal/search.ts';
import { controlQueue } from '../workflows/messages.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { RunState } from './engine/engine.ts';
import { evidenceAtEnd } from './follow/evidence-at-end.ts';
import { progressInWords } from './follow/progress.ts';
import { checked } from './input.ts';
import { orderOf } from './order.ts';
import { serviceMeant } from './plans.ts';
import { Problem } from './problem.ts';
import { requester } from './requester.ts';

interface FindOptions extends UsualOptions {
  from?: string;
  to?: string;
  rows?: number;
  table?: string;
  limit?: number;
  order?: string;
  names: boolean;
  as?: string;
}

export function findCommand(program: Command, cli: Cli): void {
  const command = program
    .command('find')
    .argument('[service]', 'as its plan names it')
    .description(
      'which transactions deleted, changed, emptied or dropped much, by the archived WAL; each with the target just before it',
    )
    .option('--from <time>', 'from this moment, with its offset (2026-11-21T14:00:00Z); else an hour before the end')
    .option('--to <time>', 'up to this moment; else as far as the archive goes')
    .option('--rows <number>', 'rows of one table from which on a transaction is told (1000)', number)
    .option('--table <name>', 'only what was done to this table, such as public.orders')
    .addOption(new Option('--order <order>', 'the heaviest first, or as they came').choices(['weight', 'time']))
    .option('--limit <number>', 'how many are told at most (20)', number)
    .option('--no-names', 'restore nothing to learn the names of dropped tables: numbers of files stand for them')
    .option('--as <name>', 'who asks for it (default: your name and host)');
  withProfile(withJson(command)).action((service: string | undefined, options: FindOptions) =>
    find(cli, options, service),
  );
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('write a whole number');
  return Number(text);
}

async function find(cli: Cli, options: FindOptions, given: string | undefined): Promise<void> {
  const { from, to, rows, table, limit, order, names, as } = options;
  const asked = { mode: 'live', from, to, rows, table, limit, order, ...(names ? {} : { names }) };
  const requestedBy = as ?? requester(cli.environment);
  // What could be no service's name at all is refused first, in words of its own.
  checked('find', { ...asked, service: given, requestedBy });
  const service = await serviceMeant(cli.environment, given);
  const wanted = checked('find', { ...asked, service, requestedBy });
  await connected(cli, options, async (engine) => {
    if ((await engine.workers(controlQueue)).length === 0)
      throw new Problem(
        'nobodyWorks',
        `Nobody works on task queue ${controlQueue}: start lifeboat-control (namespace ${engine.namespace} at ${engine.address}), then search again.`,
      );
    const { run } = await engine.start(orderOf(wanted));
    const evidence = await evidenceAtEnd(cli, engine, run, {
      good: 'completed',
      detached: `Stopped waiting; ${run} goes on, and removes what it has restored. See it later: lifeboat report ${run}`,
      waitsFor: searching,
    });
    const { search } = evidence;
    if (search === undefined) throw new Problem('bug', `${run} has ended well, and told nothing.`);
    cli.terminal.result(
      options.json
        ? JSON.stringify({ run, service: evidence.service, ...search })
        : renderSearch(search, { service: evidence.service, run }),
    );
    leave(cli, 'good');
  });
}

/** `searching: segment 37 of 120, 14:02:11Z, 3 findings` */
function searching({ pending: [one] }: RunState): string {
  if (one === undefined) return 'searching ...';
  const step = one.id.replace(/^.*\/|\.\d+$/g, '').replaceAll('-', ' ');
  const words = progressInWords(one.progress);
  return `searching: ${step}${words === undefined ? '' : `: ${words}`} ...`;
}
