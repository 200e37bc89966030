import {
  type Client,
  QueryNotRegisteredError,
  QueryRejectedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Failure, RunSummary } from '../../evidence/evidence.ts';
import { abortPlanQuery, evidenceQuery } from '../../workflows/messages.ts';
import { attributesOf } from '../../workflows/run-attributes.ts';
import { Problem } from '../problem.ts';
import { ask, grpc, grpcCode, grpcDetails } from './ask.ts';
import { type Ending, type PendingActivity, type RunState, Silence, type WatchedRun } from './engine.ts';
import type { Reached } from './reach.ts';
import { say } from './say.ts';
import { statusOf } from './status.ts';
import { writtenBy } from './written.ts';

const answerWithinMs = 5_000;

/** Follows a run by its name through resets: the newest execution is the one that counts. */
export function watchedRun(reached: Reached, client: Client, run: string): WatchedRun {
  const handle = client.workflow.getHandle(run);
  return {
    run,
    state: () => named(run, () => state(reached, client, handle)),
    evidence: () => named(run, () => answer(reached, () => handle.query(evidenceQuery))),
    ending: () => named(run, () => ending(reached, client, handle)),
    abortPlan: () => named(run, () => answer(reached, () => handle.query(abortPlanQuery))),
    say: (message) => say(reached, handle, message),
  };
}

async function named<T>(run: string, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new Problem('notFound', `Temporal knows no run "${run}". "lifeboat status" names those that it knows.`);
  }
}

async function state(reached: Reached, client: Client, handle: WorkflowHandle): Promise<RunState> {
  const description = await ask(reached, answerWithinMs, () => handle.describe());
  const { service } = attributesOf(description);
  return {
    runId: description.runId,
    status: statusOf(description.status.name),
    type: description.type,
    ...(service === undefined ? {} : { service }),
    startedAt: description.startTime,
    ...(description.closeTime === undefined ? {} : { endedAt: description.closeTime }),
    pending: await pendingActivities(client, description),
  };
}

type RawPending = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

// temporal.api.enums.v1.PendingActivityState
const started = 2;

function pendingActivities(client: Client, description: WorkflowExecutionDescription): Promise<PendingActivity[]> {
  return Promise.all((description.raw.pendingActivities ?? []).map((one) => pendingActivity(client, one)));
}

async function pendingActivity(client: Client, raw: RawPending): Promise<PendingActivity> {
  const converter = client.options.loadedDataConverter;
  const progress = raw.heartbeatDetails?.payloads
    ? (await decodeArrayFromPayloads(converter, raw.heartbeatDetails.payloads))[0]
    : undefined;
  const failed = await decodeOptionalFailureToOptionalError(converter, raw.lastFailure);
  return {
    id: raw.activityId ?? '',
    attempt: raw.attempt ?? 1,
    started: raw.state === started,
    ...(raw.lastWorkerIdentity ? { worker: raw.lastWorkerIdentity } : {}),
    ...(progress === undefined ? {} : { progress }),
    ...(failed === undefined ? {} : { lastFailure: failed.message }),
  };
}

/** The handlers of queries throw until the run has read its plan: then there is nothing to tell yet. */
async function answer<T>(reached: Reached, query: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask(reached, answerWithinMs, query);
  } catch (error) {
    if (error instanceof QueryNotRegisteredError || error instanceof QueryRejectedError) return undefined;
    const code = grpcCode(error);
    if (code === grpc.invalidArgument) return undefined;
    // Whoever asks has just been told the run's state by the server: it is the workers that are silent.
    if (error instanceof Silence || code === grpc.failedPrecondition)
      throw new Silence('workers', `No control worker answers: ${grpcDetails(error)}`);
    throw error;
  }
}

async function ending(reached: Reached, client: Client, handle: WorkflowHandle): Promise<Ending> {
  try {
    const result = await ask(reached, answerWithinMs, () => handle.result());
    return isSummary(result) ? endingOf('completed', result) : { status: 'completed', result };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const status = statusOf((await ask(reached, answerWithinMs, () => handle.describe())).status.name);
    const ended = badEnding(status === 'running' ? 'failed' : status, error.cause);
    if (ended.status !== 'cancelled' || ended.summary !== undefined) return ended;
    const written = await writtenBy(reached, client, handle);
    return written === undefined ? ended : { ...ended, written };
  }
}

function badEnding(status: Ending['status'], cause: unknown): Ending {
  const failed = applicationFailure(cause);
  const summary = failed?.details?.find(isSummary);
  if (summary !== undefined) return endingOf(status, summary);
  return { status, failure: failureOf(status, cause) };
}

function endingOf(status: Ending['status'], summary: RunSummary): Ending {
  return { status, summary, ...(summary.failure === undefined ? {} : { failure: summary.failure }) };
}

function applicationFailure(cause: unknown): ApplicationFailure | undefined {
  if (cause instanceof ApplicationFailure) return cause;
  return cause instanceof ActivityFailure || cause instanceof TemporalFailure
    ? applicationFailure(cause.cause)
    : undefined;
}

function failureOf(status: Ending['status'], cause: unknown): Failure {
  const failed = applicationFailure(cause);
  if (failed !== undefined) return { type: failed.type ?? 'Bug', message: failed.message };
  if (cause instanceof CancelledFailure) return { type: 'Cancelled', message: 'The run was cancelled.' };
  const why = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
  if (status === 'terminated')
    return { type: 'Terminated', message: `The run was terminated${why}: nothing was undone or cleaned up.` };
  if (status === 'timed-out') return { type: 'TimedOut', message: 'The run took longer than it was allowed to.' };
  return { type: 'Bug', message: cause instanceof Error ? cause.message : String(cause) };
}

function isSummary(value: unknown): value is RunSummary {
  return typeof value === 'object' && value !== null && 'outcome' in value && 'sha256' in value && 'run' in value;
}
