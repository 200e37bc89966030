/** People who answer runs, as the command line does: signed, by an update; and how long they wait for the answer. */
import { type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { signed } from '../activities/people/keys.ts';
import { openApprovals } from '../evidence/asked.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Approval } from '../evidence/people.ts';
import { approvalStatement, startStatement } from '../evidence/statements.ts';
import { Hopeless, until } from '../lab/until.ts';
import { approveUpdate, controlQueue, evidenceQuery, type RunInput } from '../workflows/messages.ts';
import { scheduledAt } from './events.ts';
import { afterQuestion, bareQuery, yesUpdate } from './workflows/questions.ts';

/** Who starts runs, and who says yes. */
export interface Asker {
  client: Client;
  people: { ana: KeyObject; ben: KeyObject };
  signal: AbortSignal;
}

/** One yes. */
export interface Click {
  /** Date.now() when it was sent. */
  sentAt: number;
  /** Until it was answered. */
  roundTripMs: number;
}

const lookEveryMs = 20;

/** A run that asks so many questions. */
export async function startAsking(
  asker: Asker,
  { service, questions }: { service: string; questions: number },
): Promise<WorkflowHandle> {
  const workflowId = `${service}-${randomBytes(4).toString('hex')}`;
  return asker.client.workflow.start('asking', {
    ...{ taskQueue: controlQueue, workflowId },
    args: [{ ...signedStart(asker, workflowId, service), questions }],
  });
}

/** The input of a live run that Ana starts for certain. */
export function signedStart(
  { people }: Pick<Asker, 'people'>,
  run: string,
  service: string,
  more: Record<string, unknown> = {},
): RunInput {
  const input = { service, mode: 'live', requestedBy: 'ana', ...more } as const;
  return { ...input, requestSignature: signed(startStatement(run, 'ana', input), people.ana, 'person') };
}

export interface Question {
  evidence: Evidence;
  approval: Approval;
}

/** Waits until the run asks; its nth question, where it asks several. */
export function question(
  handle: WorkflowHandle,
  signal: AbortSignal,
  { number, everyMs = lookEveryMs }: { number?: number; everyMs?: number } = {},
): Promise<Question> {
  const what = `${handle.workflowId} to ask${number === undefined ? '' : ` its question ${number}`}`;
  return until({ what, withinMs: 600_000, everyMs, signal }, async () => {
    const evidence = await handle.query(evidenceQuery);
    refuseFailure(evidence);
    if (evidence.outcome !== 'running')
      throw new Hopeless(`${evidence.run} ended ${evidence.outcome}: nothing was asked`);
    const approval = openApprovals(evidence).find(({ subject }) => number === undefined || subject.question === number);
    return approval === undefined ? undefined : { evidence, approval };
  });
}

/** A run that has failed, or asks what is to become of a step that has: nobody here would decide. @throws Hopeless */
export function refuseFailure({ run, outcome, failure, decisions = [] }: Evidence): void {
  const open = decisions.find(({ closedAt }) => closedAt === undefined);
  if (open !== undefined) throw new Hopeless(`"${open.name}" of ${run} failed: ${open.failure.message}`);
  if (failure !== undefined) throw new Hopeless(`${run} ended ${outcome}: ${failure.message}`);
}

/** Ben's yes. What he signs is ready before the clock begins. */
export async function approve({ people }: Asker, handle: WorkflowHandle, asked: Question): Promise<Click> {
  const { evidence, approval } = asked;
  const signature = signed(
    approvalStatement(evidence, approval, { by: 'ben', choice: 'approve' }),
    people.ben,
    'person',
  );
  const click = { by: 'ben', approval: approval.id, code: approval.code, channel: 'cli' as const, signature };
  return timed(() => handle.executeUpdate(approveUpdate, { args: [click], updateId: `cli-${randomUUID()}` }));
}

async function timed(send: () => Promise<unknown>): Promise<Click> {
  const sentAt = Date.now();
  const began = performance.now();
  await send();
  return { sentAt, roundTripMs: performance.now() - began };
}

/** A click, and when the work went on after it. */
export interface Answered extends Click {
  /** From sending until the engine was told of the next step, milliseconds. */
  toNextStepMs: number;
  /** From sending to the start of the next step, as the evidence tells it, milliseconds; a bare workflow has none. */
  toStartMs?: number;
}

/** A whole run whose questions are answered as soon as they are asked. */
export async function answeredRun(asker: Asker, ask: { service: string; questions: number }): Promise<Answered[]> {
  const handle = await startAsking(asker, ask);
  const clicks: Click[] = [];
  for (const number of numbers(ask.questions))
    clicks.push(await approve(asker, handle, await question(handle, asker.signal, { number })));
  await handle.result();
  const { steps } = await handle.query(evidenceQuery);
  const scheduled = await scheduledAt(handle);
  return clicks.map((click, index) => {
    const after = steps.find(({ name }) => name === afterQuestion(index + 1));
    const toNextStepMs = sinceClick(click, scheduled.get(after?.id ?? ''));
    return { ...click, toNextStepMs, toStartMs: sinceClick(click, Date.parse(after?.startedAt ?? '')) };
  });
}

/** The same without Lifeboat. */
export async function answeredBareRun({ client, signal }: Asker, questions: number): Promise<Answered[]> {
  const handle = await client.workflow.start('bareAsking', {
    ...{ taskQueue: controlQueue, workflowId: `bench-bare-${randomBytes(4).toString('hex')}` },
    args: [{ questions }],
  });
  const clicks: Click[] = [];
  for (const number of numbers(questions)) {
    const what = `${handle.workflowId} to ask its question ${number}`;
    await until({ what, withinMs: 60_000, everyMs: lookEveryMs, signal }, async () => {
      return (await handle.query(bareQuery)) === number;
    });
    clicks.push(await timed(() => handle.executeUpdate(yesUpdate)));
  }
  await handle.result();
  const scheduled = [...(await scheduledAt(handle)).values()];
  return clicks.map((click, index) => ({ ...click, toNextStepMs: sinceClick(click, scheduled[index]) }));
}

/** The engine's clock is this machine's. */
function sinceClick({ sentAt }: Click, at = Number.NaN): number {
  if (Number.isNaN(at)) throw new Error('no step followed a question that was answered');
  return at - sentAt;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_none, index) => index + 1);
}
