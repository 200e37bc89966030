/** `lifeboat abort`: shows what would be stopped, undone and left, and asks, before anything ends. */
import type { Command } from 'commander';
import { typedCode } from '../evidence/canonical.ts';
import type { AbortPlan } from '../evidence/people.ts';
import { abortStatement } from '../evidence/statements.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { type IdentityOptions, withIdentity } from './keys/me.ts';
import { agreed, evidenceNow, orNobody } from './people/run-asked.ts';
import { send } from './people/send.ts';
import { abortInWords } from './people/words.ts';
import { Problem } from './problem.ts';

interface AbortOptions extends UsualOptions, IdentityOptions {
  yes?: string;
  reason?: string;
}

export function abortCommand(program: Command, cli: Cli): void {
  const command = program
    .command('abort')
    .argument('<run>', 'its name, such as orders-7f3a')
    .description('end a run in order: shows what would be stopped, undone and left as it is, and asks')
    .option('--yes <code>', 'do not ask; refused when the abort with this code is no longer what would happen')
    .option('--reason <text>', 'kept with the abort');
  withProfile(withJson(withIdentity(command))).action((run: string, options: AbortOptions) => abort(cli, run, options));
}

async function abort(cli: Cli, run: string, options: AbortOptions): Promise<void> {
  await connected(cli, options, async (engine) => {
    const watched = engine.watch(run);
    const evidence = await evidenceNow(engine, watched);
    const plan = await orNobody(engine, run, () => watched.abortPlan());
    if (plan === undefined)
      throw new Problem(
        'notAccepted',
        `${run} cannot tell what an abort would undo. It can be cancelled: temporal workflow cancel --workflow-id ${run}`,
      );
    if (options.yes === undefined && !(await confirmed(cli, run, plan, options))) return leave(cli, 'notSent');
    if (options.yes !== undefined && typedCode(options.yes) !== plan.code)
      throw new Problem('notAccepted', changed(run, plan));
    const { code } = plan;
    await send(cli, watched, options, {
      evidence,
      statement: (who) => abortStatement(evidence, code, who),
      reason: options.reason,
      code,
      message: (said) => ({ kind: 'abort', click: { code, ...said } }),
    });
    if (!options.json) cli.terminal.message(`Watch it undo: lifeboat watch ${run}`);
  });
}

async function confirmed(cli: Cli, run: string, plan: AbortPlan, options: AbortOptions): Promise<boolean> {
  if (options.json) {
    cli.terminal.result(JSON.stringify({ run, sent: false, abort: plan }));
    return false;
  }
  cli.terminal.result(abortInWords(run, plan));
  return agreed(cli, options, `\nAbort ${run}?`, `Add --yes ${plan.code} to abort exactly like this.`);
}

function changed(run: string, plan: AbortPlan): string {
  return `What an abort would do has changed since it was shown, and nothing was sent.\n\n${abortInWords(run, plan)}`;
}
