/** What the gateway asks of Temporal, and tells the runs there. */
import { createHash } from 'node:crypto';
import {
  type Client,
  type Connection,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { type Reply, replyIn } from '../../activities/people/reply.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { AbortPlan } from '../../evidence/people.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import {
  abortPlanQuery,
  controlQueue,
  type Message,
  type RunbookName,
  type RunInput,
  runbooks,
} from '../../workflows/messages.ts';
import type { RecoveryWindowResult } from '../../workflows/recovery-window.ts';
import { type EngineRun, temporalEngine, Unanswered } from '../pages/engine.ts';

export interface Order {
  runbook: RunbookName;
  run: string;
  input: RunInput & Record<string, unknown>;
  summary: string;
}

export interface Runs {
  /** `undefined`: there is no such run, or it has read no plan. @throws Unanswered */
  evidence(run: string): Promise<Evidence | undefined>;
  /** Newest first. @throws Unanswered */
  open(): Promise<EngineRun[]>;
  abortPlan(run: string): Promise<AbortPlan>;
  send(run: string, message: Message, updateId: string): Promise<Reply>;
  /** `again`: this very order was given before. */
  start(order: Order): Promise<'started' | 'again'>;
  recoveryWindow(service: string): Promise<RecoveryWindowResult>;
}

// Verifying a signature is an activity; a run whose worker has just died is taken up by another after some seconds.
const answerWithinMs = 15_000;
const mostOpenRuns = 50;

// A repository of years is listed in a minute or so; a dialog is not looked at for longer.
const windowWithinMs = 120_000;

// gRPC status codes: https://grpc.io/docs/guides/status-codes/
const silences: readonly number[] = [1, 4, 8, 14];

export function temporalRuns(connection: Connection, client: Client): Runs {
  const engine = temporalEngine(connection, client);
  const within = <T>(ms: number, work: () => Promise<T>) => connection.withDeadline(Date.now() + ms, work);
  return {
    evidence: async (run) => {
      const evidence = await engine.evidence(run);
      return evidence && seenAt(evidence, new Date().toISOString());
    },
    open: () => engine.list(mostOpenRuns, 'running'),
    abortPlan: (run) => within(5_000, () => client.workflow.getHandle(run).query(abortPlanQuery)),
    send: async (run, message, updateId) => {
      try {
        const handle = client.workflow.getHandle(run);
        const args: [Message['click']] = [message.click];
        const words = await within(answerWithinMs, () =>
          handle.executeUpdate<string, typeof args>(message.kind, { args, updateId }),
        );
        return { kind: 'answered', words };
      } catch (error) {
        return replyOf(error);
      }
    },
    start: async ({ runbook, run, input, summary }) => {
      try {
        await within(10_000, () =>
          client.workflow.start(runbooks[runbook], {
            workflowId: run,
            taskQueue: controlQueue,
            args: [input],
            // A run's name means one run for ever: reports and evidence are kept under it.
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'FAIL',
            staticSummary: summary,
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return 'again';
        throw error;
      }
    },
    recoveryWindow: (service) =>
      within(windowWithinMs, () =>
        client.workflow.execute<(input: { service: string }) => Promise<RecoveryWindowResult>>('recoveryWindow', {
          workflowId: runName(`${service}-recovery-window`, `${Date.now()}-${Math.random()}`),
          taskQueue: controlQueue,
          args: [{ service }],
          workflowExecutionTimeout: windowWithinMs,
          staticSummary: `Recovery window of ${service} (reads only)`,
        }),
      ),
  };
}

/** `orders-7f3a91c2`: the same for the same order, so that one which Slack delivers twice is started once. */
export function runName(prefix: string, orderKey: string): string {
  return `${prefix}-${createHash('sha256').update(orderKey).digest('hex').slice(0, 8)}`;
}

function replyOf(error: unknown): Reply {
  const reply = replyIn(error);
  if (reply !== undefined) return reply;
  const why = silenceOf(error);
  if (why === undefined) throw error;
  return { kind: 'silent', why };
}

/** Why nobody has answered; `undefined` when this is an answer, or a mistake of ours. */
export function silenceOf(error: unknown): string | undefined {
  if (error instanceof Unanswered) return error.message;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return `no answer within ${answerWithinMs / 1000} s`;
  if (isGrpcServiceError(error) && silences.includes(error.code)) return error.details || 'no answer';
  return error instanceof Error && error.cause !== undefined ? silenceOf(error.cause) : undefined;
}
