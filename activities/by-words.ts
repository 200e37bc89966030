/** Commands of a plan that stop and start servers. What they start outlives the worker: it is no tool of an activity. */
import { execa } from 'execa';
import { toolEnvironment } from './child.ts';
import { failure } from './failure.ts';

interface Words {
  host: string;
  /** A program, and its words. */
  words: readonly string[];
  withinMs: number;
  /** Where the plan has them: `database.members`. */
  plan: string;
}

/** @throws ServerControlFailed with what it said last */
export async function runByWords({ host, words: [file = '', ...rest], withinMs, plan }: Words): Promise<void> {
  const ended = await execa(file, rest, {
    cwd: '/',
    env: toolEnvironment(),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: withinMs,
  });
  if (!ended.failed) return;
  const why = ended.timedOut ? `no end within ${withinMs / 1000} s` : `exit ${ended.exitCode ?? ended.originalMessage}`;
  throw failure(
    'ServerControlFailed',
    `${file} on ${host} failed (${why}): ${`${ended.stderr} ${ended.stdout}`.trim().slice(-300)}. Try it by hand as the user of lifeboat-host; see ${plan} in the plan.`,
  );
}
