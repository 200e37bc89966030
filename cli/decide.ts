/** `lifeboat decide`: what becomes of a step that has failed and waits. */
import { Argument, type Command } from 'commander';
import { openDecisions } from '../evidence/asked.ts';
import { typedCode } from '../evidence/canonical.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { AbortPlan, Decision, DecisionAction } from '../evidence/people.ts';
import { decisionStatement } from '../evidence/statements.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { type IdentityOptions, withIdentity } from './keys/me.ts';
import { agreed, evidenceNow, orNobody } from './people/run-asked.ts';
import { send } from './people/send.ts';
import { decisionInWords, whatAbortDoes } from './people/words.ts';
import { Problem } from './problem.ts';

interface DecideOptions extends UsualOptions, IdentityOptions {
  step?: string;
  code?: string;
  reason?: string;
}

const actions: readonly DecisionAction[] = ['retry', 'skip', 'abort'];

export function decideCommand(program: Command, cli: Cli): void {
  const command = program
    .command('decide')
    .argument('<run>', 'its name, such as orders-7f3a')
    .addArgument(new Argument('<action>', 'what becomes of the step').choices(actions))
    .description(
      'say what becomes of a step that has failed and waits: shows it and asks, or with --code says it at once',
    )
    .option('--step <name>', 'which one, when several wait: its name or id')
    .option('--code <code>', 'as it was shown to you')
    .option('--reason <text>', 'kept with your answer; a skip needs one');
  withProfile(withJson(withIdentity(command))).action((run: string, action: DecisionAction, options: DecideOptions) =>
    decide(cli, run, action, options),
  );
}

async function decide(cli: Cli, run: string, action: DecisionAction, options: DecideOptions): Promise<void> {
  const { reason } = options;
  if (action === 'skip' && (reason === undefined || reason.trim() === ''))
    throw new Problem('badInput', 'A skip is kept with its reason: add --reason, and say why the run can do without.');
  await connected(cli, options, async (engine) => {
    const watched = engine.watch(run);
    const evidence = await evidenceNow(engine, watched);
    const decision = decisionMeant(evidence, options);
    notOffered(decision, action);
    if (options.code === undefined) {
      const plan = action === 'abort' ? await orNobody(engine, run, () => watched.abortPlan()) : undefined;
      if (!(await confirmed(cli, action, { evidence, decision, plan }, options))) return leave(cli, 'notSent');
    }
    const { step, code } = decision;
    await send(cli, watched, options, {
      evidence,
      statement: (who) => decisionStatement(evidence, decision, { ...who, action }),
      reason,
      code,
      message: (said) => ({ kind: 'decide', click: { step, code, action, ...said } }),
    });
  });
}

/** With a code too: nothing is sent that could only be refused. @throws Problem */
function notOffered({ name, code, offers, closedAt }: Decision, action: DecisionAction): void {
  if (closedAt !== undefined || offers.includes(action)) return;
  const why = action === 'skip' ? ', and the run cannot go on without it' : '';
  throw new Problem(
    'notAccepted',
    `"${name}" (code ${code}) offers no ${action}${why}: say ${offers.join(' or ')}. Nothing was sent.`,
  );
}

interface Shown {
  evidence: Evidence;
  decision: Decision;
  /** Of an abort: what it would do now. */
  plan: AbortPlan | undefined;
}

async function confirmed(
  cli: Cli,
  action: DecisionAction,
  { evidence, decision, plan }: Shown,
  options: DecideOptions,
): Promise<boolean> {
  const { run, runId } = evidence;
  if (options.json) {
    cli.terminal.result(JSON.stringify({ run, runId, sent: false, asks: decision, ...(plan && { abort: plan }) }));
    return false;
  }
  cli.terminal.result(decisionInWords(evidence, decision, new Date()));
  if (plan !== undefined) cli.terminal.result(`\n${whatAbortDoes(run, plan)}`);
  return agreed(
    cli,
    options,
    `\n${questions[action]}?`,
    `Add --code ${decision.code} to say ${action} of exactly this failure.`,
  );
}

const questions: Record<DecisionAction, string> = {
  retry: 'Try it again',
  skip: 'Go on without it',
  abort: 'End the run, and undo what it has done',
};

/** @throws Problem when there is none that could be meant, or several */
function decisionMeant(evidence: Evidence, { step: named, code }: DecideOptions): Decision {
  const { run, decisions = [] } = evidence;
  const isNamed = ({ step, name }: Decision) =>
    named === undefined || step === named || step.endsWith(`/${named}`) || name.toLowerCase() === named.toLowerCase();
  const open = openDecisions(evidence);
  if (code !== undefined) {
    const meant = decisions.findLast((one) => one.code === typedCode(code) && isNamed(one));
    if (meant !== undefined) return meant;
    const other = decisions.findLast((one) => one.code === typedCode(code));
    if (other !== undefined)
      throw new Problem(
        'badInput',
        `The code ${code} is of "${other.name}" (--step ${other.step}), and --step says ${named}. Leave out --step, or give the code of ${named}.`,
      );
    throw new Problem(
      'notAccepted',
      `${run} has shown no failed step with the code ${code}. ${waitingInWords(run, open)}`,
    );
  }
  const [meant, ...others] = open.filter(isNamed);
  if (meant === undefined) throw new Problem('notAccepted', waitingInWords(run, open));
  if (others.length > 0) throw new Problem('badInput', `Which one is meant? ${waitingInWords(run, open)}`);
  return meant;
}

function waitingInWords(run: string, open: readonly Decision[]): string {
  if (open.length === 0) return `No step of ${run} waits for a decision: lifeboat watch ${run}`;
  return `There wait: ${open.map(({ step, name, code }) => `${name} (--step ${step}, code ${code})`).join('; ')}.`;
}
