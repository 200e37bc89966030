/** `lifeboat status`: how each service stands, what is running, which locks are held. */
import type { Command } from 'commander';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { Problem } from './problem.ts';
import { collectStatus } from './status/collect.ts';
import { statusInWords } from './status/words.ts';

export function statusCommand(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .argument('[service]', 'only this one')
    .description('each service: newest drill and backup, running runs, locks held, workers that poll');
  withProfile(withJson(command)).action((service: string | undefined, options: UsualOptions) =>
    connected(cli, options, async (engine) => {
      const status = await collectStatus(engine, cli.environment, service);
      if (service !== undefined && status.services.every((one) => one.service !== service))
        throw new Problem(
          'notFound',
          `Nothing is known of a service "${service}": no run, and no plan in LIFEBOAT_PLANS.`,
        );
      cli.terminal.result(options.json ? JSON.stringify(status) : statusInWords(status, new Date()));
      leave(cli, 'good');
    }),
  );
}
