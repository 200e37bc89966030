/** `lifeboat approve` and `lifeboat reject`: shows what is asked, asks whether that is meant, and says exactly that, signed. */
import type { Command } from 'commander';
import { openApprovals } from '../evidence/asked.ts';
import { typedCode } from '../evidence/canonical.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Approval } from '../evidence/people.ts';
import { approvalStatement } from '../evidence/statements.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import { type IdentityOptions, withIdentity } from './keys/me.ts';
import { agreed, evidenceNow } from './people/run-asked.ts';
import { send } from './people/send.ts';
import { approvalInWords } from './people/words.ts';
import { Problem } from './problem.ts';

interface ApproveOptions extends UsualOptions, IdentityOptions {
  approval?: string;
  code?: string;
  choice?: string;
  value?: string;
  reason?: string;
}

type Kind = 'approve' | 'reject';

export function approveCommands(program: Command, cli: Cli): void {
  usual(program, cli, 'approve')
    .description('say yes to what a run asks: shows it and asks, or with --code says it at once; signed with your key')
    .option('--choice <choice>', 'instead of a plain yes, one of the alternatives that are offered')
    .option('--value <value>', 'what the alternative wants, such as a time');
  usual(program, cli, 'reject').description(
    'say no to what a run asks; when too few are left who could say yes, the run ends in order and undoes',
  );
}

function usual(program: Command, cli: Cli, kind: Kind): Command {
  const command = program
    .command(kind)
    .argument('<run>', 'its name, such as orders-7f3a')
    .option('--approval <name>', 'which one, when several are open: its name or step')
    .option('--code <code>', 'as it was shown to you: nothing is asked any more, and nothing else is approved')
    .option('--reason <text>', 'kept with your answer')
    .action((run: string, options: ApproveOptions) => click(cli, kind, run, options));
  return withProfile(withJson(withIdentity(command)));
}

async function click(cli: Cli, kind: Kind, run: string, options: ApproveOptions): Promise<void> {
  await connected(cli, options, async (engine) => {
    const watched = engine.watch(run);
    const evidence = await evidenceNow(engine, watched);
    const approval = approvalMeant(evidence, options);
    const choice = choiceOf(kind, approval, options);
    if (options.code === undefined && !(await confirmed(cli, kind, evidence, approval, options)))
      return leave(cli, 'notSent');
    const { reason, value } = options;
    await send(cli, watched, options, {
      evidence,
      statement: (who) => approvalStatement(evidence, approval, { ...who, choice, value }),
      reason,
      code: approval.code,
      message: (said) => ({
        kind,
        click: {
          ...{ approval: approval.id, code: approval.code, ...said },
          ...(kind === 'approve' && choice !== 'approve' ? { choice } : {}),
          ...(value === undefined ? {} : { value }),
        },
      }),
    });
  });
}

/** Nothing is sent that was not shown. */
async function confirmed(cli: Cli, kind: Kind, evidence: Evidence, approval: Approval, options: ApproveOptions) {
  if (options.json) {
    cli.terminal.result(JSON.stringify({ run: evidence.run, runId: evidence.runId, sent: false, asks: approval }));
    return false;
  }
  cli.terminal.result(approvalInWords(evidence, approval, new Date()));
  const what = options.choice === undefined ? kind : `${kind} with ${options.choice}`;
  return agreed(cli, options, `\n${capital(what)}?`, `Add --code ${approval.code} to ${kind} exactly this.`);
}

/** @throws Problem when there is none that could be meant, or several */
function approvalMeant(evidence: Evidence, { approval: named, code }: ApproveOptions): Approval {
  const { run, approvals = [] } = evidence;
  const isNamed = ({ id, name }: Approval) =>
    named === undefined || id === named || id.endsWith(`/${named}`) || name.toLowerCase() === named.toLowerCase();
  const open = openApprovals(evidence);
  if (code !== undefined) {
    // One that is closed is said as well: the run answers why it no longer counts, and keeps that.
    const meant = approvals.findLast((one) => one.code === typedCode(code) && isNamed(one));
    if (meant !== undefined) return meant;
    const other = approvals.findLast((one) => one.code === typedCode(code));
    if (other !== undefined)
      throw new Problem(
        'badInput',
        `The code ${code} is of "${other.name}" (--approval ${other.id}), and --approval says ${named}. Leave out --approval, or give the code of ${named}.`,
      );
    throw new Problem('notAccepted', `${run} has shown no approval with the code ${code}. ${openInWords(run, open)}`);
  }
  const [meant, ...others] = open.filter(isNamed);
  if (meant === undefined) throw new Problem('notAccepted', openInWords(run, open));
  if (others.length > 0) throw new Problem('badInput', `Which one is meant? ${openInWords(run, open)}`);
  return meant;
}

function openInWords(run: string, open: readonly Approval[]): string {
  if (open.length === 0) return `No approval of ${run} is open: lifeboat watch ${run}`;
  return `Open are: ${open.map(({ id, name, code }) => `${name} (--approval ${id}, code ${code})`).join('; ')}.`;
}

function choiceOf(kind: Kind, { name, alternatives }: Approval, { choice = 'approve', value }: ApproveOptions): string {
  if (kind === 'reject') return 'reject';
  const offered = alternatives[choice];
  if (choice !== 'approve' && offered === undefined)
    throw new Problem(
      'badInput',
      `"${name}" offers no "${choice}". It offers ${['approve', ...Object.keys(alternatives)].join(', ')}.`,
    );
  if (offered?.wants !== undefined && value === undefined)
    throw new Problem('badInput', `"${choice}" wants a ${offered.wants}: add --value.`);
  if (offered?.wants === undefined && value !== undefined)
    throw new Problem('badInput', `"${choice}" takes no --value.`);
  return choice;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
