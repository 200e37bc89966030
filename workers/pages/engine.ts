/** What the pages ask of Temporal: runs, the evidence of one, and why one ended that left no evidence. */
import {
  type Client,
  type Connection,
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  type WorkflowExecutionInfo,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { type ListedSchedule, listSchedules } from '../../activities/schedules.ts';
import type { Evidence, Failure, Mode, Outcome } from '../../evidence/evidence.ts';
import { evidenceQuery, runbooks } from '../../workflows/messages.ts';
import { attributesOf, ofRunbooks } from '../../workflows/run-attributes.ts';

export type Status = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out';

/** A run as Temporal knows it. */
export interface EngineRun {
  run: string;
  runbook: string;
  status: Status;
  startedAt: string;
  endedAt?: string;
  /** What the run has said of itself; a run that was refused at once has said nothing. */
  service?: string;
  mode?: Mode;
  phase?: string;
  outcome?: Outcome;
  /** Of a backup. */
  type?: string;
}

export interface Engine {
  /** Newest first. */
  list(limit: number, only?: 'running'): Promise<EngineRun[]>;
  /** `undefined`: Temporal knows no such run (any more). */
  describe(run: string): Promise<EngineRun | undefined>;
  /** `undefined`: the run has none, because it has not read its plan, or never did. */
  evidence(run: string): Promise<Evidence | undefined>;
  /** Why a run ended badly. */
  failure(run: string): Promise<Failure | undefined>;
  schedules(): Promise<ListedSchedule[]>;
}

/** Temporal, or the workers, did not answer. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

const answerWithinMs = 4_000;

// gRPC status codes: https://grpc.io/docs/guides/status-codes/
const grpc = { invalidArgument: 3, deadlineExceeded: 4, failedPrecondition: 9 } as const;

/** Of these the callers know what they mean. */
const telling: readonly number[] = [grpc.invalidArgument, grpc.failedPrecondition];

export function temporalEngine(connection: Connection, client: Client): Engine {
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await connection.withDeadline(Date.now() + answerWithinMs, question);
    } catch (error) {
      const grpcError = grpcErrorOf(error);
      if (grpcError === undefined || telling.includes(grpcError.code)) throw error;
      throw new Unanswered(`Temporal does not answer (${whyNot(grpcError)}).`);
    }
  };
  const found = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask(question);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  };
  return {
    list: (limit, only) =>
      ask(async () => {
        const runs: EngineRun[] = [];
        for await (const info of client.workflow.list({ query: queryOf(only), pageSize: limit })) {
          runs.push(engineRun(info));
          if (runs.length >= limit) break;
        }
        return runs.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
      }),
    describe: async (run) => {
      const info = await found(() => client.workflow.getHandle(run).describe());
      return info === undefined || runbookOf(info.type) === undefined ? undefined : engineRun(info);
    },
    evidence: (run) => queried(() => found(() => client.workflow.getHandle(run).query(evidenceQuery))),
    failure: (run) => ask(() => whyItEnded(() => client.workflow.getHandle(run).result())),
    schedules: () => ask(() => listSchedules(client)),
  };
}

function queryOf(only: 'running' | undefined): string {
  return only === undefined ? ofRunbooks : `${ofRunbooks} AND ExecutionStatus = 'Running'`;
}

function runbookOf(type: string): string | undefined {
  return Object.entries(runbooks).find(([, one]) => one === type)?.[0];
}

const statuses: Record<string, Status> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

type Known = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'type' | 'startTime' | 'closeTime' | 'typedSearchAttributes'
> & {
  status: { name: string };
};

function engineRun(info: Known): EngineRun {
  const { mode, outcome, ...said } = attributesOf(info);
  return {
    run: info.workflowId,
    runbook: runbookOf(info.type) ?? info.type,
    status: statuses[info.status.name] ?? 'running',
    startedAt: info.startTime.toISOString(),
    ...(info.closeTime === undefined ? {} : { endedAt: info.closeTime.toISOString() }),
    ...said,
    ...(mode === undefined ? {} : { mode: mode as Mode }),
    ...(outcome === undefined ? {} : { outcome: outcome as Outcome }),
  };
}

/** The query's handler throws until the run has read its plan: then there is no evidence yet. */
async function queried(question: () => Promise<Evidence | undefined>): Promise<Evidence | undefined> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof QueryNotRegisteredError || error instanceof QueryRejectedError) return undefined;
    const grpcError = grpcErrorOf(error);
    if (grpcError?.code === grpc.invalidArgument) return undefined;
    if (grpcError?.code === grpc.failedPrecondition)
      throw new Unanswered('No control worker answers: start lifeboat-control.');
    // Temporal has just described this run: it is the control workers that are silent.
    if (error instanceof Unanswered)
      throw new Unanswered('No control worker answers in time: is lifeboat-control running?');
    throw error;
  }
}

async function whyItEnded(result: () => Promise<unknown>): Promise<Failure | undefined> {
  try {
    await result();
    return undefined;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return failureOf(error.cause);
  }
}

function failureOf(cause: unknown): Failure {
  if (cause instanceof ApplicationFailure) return { type: cause.type ?? 'Bug', message: cause.message };
  if (cause instanceof TemporalFailure && cause.cause !== undefined) return failureOf(cause.cause);
  return { type: 'Ended', message: cause instanceof Error ? cause.message : 'It gave no reason.' };
}

function whyNot({ code, details }: { code: number; details: string }): string {
  return code === grpc.deadlineExceeded || details === '' ? `nothing came in ${answerWithinMs / 1000} s` : details;
}

function grpcErrorOf(error: unknown): { code: number; details: string } | undefined {
  if (isGrpcServiceError(error)) return { code: error.code, details: error.details };
  return error instanceof Error && error.cause !== undefined ? grpcErrorOf(error.cause) : undefined;
}
