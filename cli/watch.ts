/** `lifeboat watch`: a run's phases and steps while they happen. */
import type { Command } from 'commander';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { Engine } from './engine/engine.ts';
import { followRun } from './follow/follow-run.ts';
import { Problem } from './problem.ts';

export function watchCommand(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .argument('[run]', 'its name, such as orders-7f3a; else the newest that is running')
    .description('follow a run: phases, steps, progress of a restore; ends when the run does');
  withProfile(withJson(command, 'JSON lines, one for each change')).action(
    (run: string | undefined, options: UsualOptions) =>
      connected(cli, options, async (engine) => {
        const name = run ?? (await newestRunning(engine));
        leave(cli, await followRun(cli, engine, name, options.json ? 'stream' : 'screen'));
      }),
  );
}

async function newestRunning(engine: Engine): Promise<string> {
  const running = (await engine.runningRuns())[0];
  if (running !== undefined) return running.run;
  const newest = (await engine.newestRuns(1))[0];
  const instead =
    newest === undefined
      ? 'Start one: lifeboat drill.'
      : `The newest was ${newest.run}: lifeboat report ${newest.run}.`;
  throw new Problem('notFound', `Nothing is running. ${instead}`);
}
