/** People of the demo: who starts a live run, who is asked, and who agrees with `--yes`. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { readPrivateKey, signed } from '../../activities/people/keys.ts';
import { openApprovals } from '../../evidence/asked.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Approval } from '../../evidence/people.ts';
import type { Signature } from '../../evidence/signing.ts';
import { approvalStatement, startStatement } from '../../evidence/statements.ts';
import { approveUpdate, type RunbookName, type RunInput } from '../../workflows/messages.ts';
import type { Estate } from '../estate.ts';
import { peopleFiles } from '../people.ts';
import { cast, type LabPerson } from '../slack/cast.ts';
import type { Board } from './board.ts';
import { drawRunName, startRun, tell } from './runs.ts';

/** Who starts it, and who agrees with `--yes`: another person, with a key that only this lab's plan accepts. */
export const requester: LabPerson = 'ana';
export const second: LabPerson = 'ben';

export interface LiveDemo {
  estate: Estate;
  client: Client;
  board: Board;
  signal: AbortSignal;
  /** The second person agrees at once. */
  yes: boolean;
}

/** Starts a live run in the requester's name, tells it, and says who is asked for what. */
export async function liveRun(demo: LiveDemo, runbook: RunbookName, wanted: RunInput = {}): Promise<Evidence> {
  const { estate, client, board, signal } = demo;
  const run = drawRunName();
  const input = { service: 'orders', mode: 'live', requestedBy: requester, ...wanted } as const;
  const requestSignature = await signature(estate, requester, startStatement(run, requester, input));
  const handle = await startRun(client, runbook, run, { ...input, requestSignature });
  board.say(`  watch    ${estate.pagesUrl}/runs/${run}   people ${estate.slackUrl}`);
  board.say('');
  const answers: Promise<void>[] = [];
  const told = new Set<string>();
  const evidence = await tell(handle, {
    signal,
    color: board.color,
    print: (line) => board.say(line),
    after: (sofar) => answers.push(...whoeverIsAsked(demo, handle, sofar, told)),
  });
  await Promise.all(answers);
  return evidence;
}

async function signature(
  estate: Estate,
  person: LabPerson,
  statement: ReturnType<typeof startStatement>,
): Promise<Signature> {
  return signed(statement, await readPrivateKey(peopleFiles(estate.root).key(person)), 'person');
}

/** Says how to answer, once for each question; with `--yes` the second person does. */
function whoeverIsAsked(
  { estate, board, yes }: LiveDemo,
  handle: WorkflowHandle,
  evidence: Evidence,
  told: Set<string>,
): Promise<void>[] {
  return openApprovals(evidence).flatMap((approval) => {
    if (told.has(approval.id)) return [];
    told.add(approval.id);
    for (const line of wordsOf(estate, evidence, approval)) board.say(line);
    if (!yes) return [];
    const agreed = agree(estate, handle, evidence, approval, board).catch((error: unknown) =>
      board.say(
        `  ${cast[second].name} (--yes) was not heard: ${error instanceof Error ? error.message : String(error)}`,
      ),
    );
    return [agreed];
  });
}

function wordsOf({ env, root, slackUrl }: Estate, { run }: Evidence, approval: Approval): string[] {
  const facts = Object.entries({ ...approval.subject, ...approval.shown });
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return [
    '',
    `  "${approval.name}" waits for a yes of ${approval.asked.at(-1)?.people.join(' or ')} (${cast[requester].name} has started it):`,
    ...facts.map(([name, value]) => `    ${name}: ${value}`),
    `  By button: ${slackUrl}   By command, in another terminal:`,
    `    ${settings.join(' ')} node dist/cli/main.js approve ${run} --as ${second} --key ${peopleFiles(root).key(second)}${wantsReason(approval) ? ` --reason '${seen}'` : ''}`,
    '',
  ];
}

/** An attestation says how it was seen. */
const seen = 'I have pulled the plug of this lab myself';

const wantsReason = ({ shown }: Approval): boolean => 'say with --reason' in shown;

async function agree(
  estate: Estate,
  handle: WorkflowHandle,
  evidence: Evidence,
  approval: Approval,
  board: Board,
): Promise<void> {
  const reason = wantsReason(approval) ? { reason: seen } : {};
  const statement = approvalStatement(evidence, approval, { by: second, choice: 'approve', ...reason });
  const answer = await handle.executeUpdate(approveUpdate, {
    args: [
      {
        by: second,
        approval: approval.id,
        code: approval.code,
        channel: 'cli',
        ...reason,
        signature: await signature(estate, second, statement),
      },
    ],
  });
  board.say(`  ${cast[second].name} (--yes): ${answer}`);
}
