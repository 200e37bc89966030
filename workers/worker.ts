/** What every worker of Lifeboat has in common: its connection, its log, its clean end. */
import { rm, writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure, type LogLevel, type LogMetadata } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
  type ActivityInterceptorsFactory,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { pino } from 'pino';
import type { Metrics } from './metrics/metrics.ts';
import { TemporalMetrics } from './metrics/temporal.ts';
import { oneAttemptAtATime } from './one-attempt.ts';

export const log = pino({ level: process.env.LIFEBOAT_LOG_LEVEL ?? 'info', base: null });

export interface WorkerOptions {
  identity: string;
  taskQueue: string;
  activities: object;
  workflowBundle?: { codePath: string };
  /** Written once the worker polls: `{pid, identity}`; removed at its end. */
  readyFile?: string;
  maxConcurrentActivities?: number;
  /** Where the SDK's metrics and failures are counted. */
  metrics?: Metrics;
}

/** Runs until SIGTERM or SIGINT. Waits for the engine as long as it is away: after a disaster, it may come back last. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  installRuntime(options.metrics);
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    log.info({ signal: name }, 'stopping');
    stop.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, onSignal);
  const { connection, namespace } = await connectWhenThere(stop.signal);
  if (connection === undefined) return;
  try {
    const worker = await createWorker(options, connection, namespace);
    stop.signal.addEventListener('abort', () => worker.shutdown(), { once: true });
    if (stop.signal.aborted) worker.shutdown();
    const running = worker.run();
    await sayReady(options);
    await running;
  } finally {
    if (options.readyFile !== undefined) await rm(options.readyFile, { force: true });
    await connection.close();
  }
  log.info({ identity: options.identity }, 'stopped');
}

/**
 * A run in the cache takes 2 to 3 MB (bench, part h): as many as the SDK would keep by itself do not fit into Node's memory. One that is not
 * there is read from its history when somebody talks to it.
 */
const maxCachedWorkflows = 600;

function createWorker(options: WorkerOptions, connection: NativeConnection, namespace: string): Promise<Worker> {
  const { identity, taskQueue, activities, workflowBundle, maxConcurrentActivities, metrics } = options;
  return Worker.create({
    connection,
    namespace,
    identity,
    taskQueue,
    activities,
    ...(workflowBundle === undefined ? {} : { workflowBundle, maxCachedWorkflows }),
    ...(maxConcurrentActivities === undefined ? {} : { maxConcurrentActivityTaskExecutions: maxConcurrentActivities }),
    interceptors: {
      activity: [oneAttemptAtATime(), credited(identity), ...(metrics === undefined ? [] : [counted(metrics)])],
    },
    // A cancellation arrives with a heartbeat: an abort must not wait for a minute, the default.
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '1s',
    // Short work is finished, long work is cancelled and ends its children; then another worker takes it up.
    shutdownGraceTime: '5s',
    shutdownForceTime: '60s',
  });
}

/** Adds to each result who did the work, in which attempt, and how long that took; the runbook layer notes it in the evidence. */
function credited(worker: string): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const started = Date.now();
        const result: unknown = await next(input);
        if (typeof result !== 'object' || result === null || Array.isArray(result)) return result;
        return { ...result, by: { worker, attempt: context.info.attempt, tookMs: Date.now() - started } };
      },
    },
    outbound: {
      getLogAttributes: (_input, next) =>
        next({ step: context.info.activityId, run: context.info.workflowExecution?.workflowId }),
    },
  });
}

/** Each attempt that failed, also when a later one succeeds: what fails often is about to fail for good. */
function counted(metrics: Metrics): ActivityInterceptorsFactory {
  return () => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          if (!(error instanceof CancelledFailure)) metrics.activityFailed(typeOf(error));
          throw error;
        }
      },
    },
  });
}

function typeOf(error: unknown): string {
  return error instanceof ApplicationFailure && error.type ? error.type : 'Other';
}

async function connectWhenThere(
  stop: AbortSignal,
): Promise<{ connection: NativeConnection | undefined; namespace: string }> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  for (let tries = 0; !stop.aborted; tries += 1) {
    try {
      return { connection: await NativeConnection.connect(connectionOptions), namespace };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn(
        { address: connectionOptions.address, error: message },
        'the Temporal server does not answer, trying again',
      );
      await wait(Math.min(10_000, 500 * 2 ** tries), undefined, { signal: stop }).catch(() => undefined);
    }
  }
  return { connection: undefined, namespace };
}

async function sayReady({ readyFile, identity, taskQueue }: WorkerOptions): Promise<void> {
  log.info({ identity, taskQueue }, 'polling');
  if (readyFile !== undefined) await writeFile(readyFile, `${JSON.stringify({ pid: process.pid, identity })}\n`);
}

function installRuntime(metrics: Metrics | undefined): void {
  const temporal = metrics === undefined ? undefined : new TemporalMetrics(metrics.registry);
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      log[levels[level]](plain(meta), message);
    }),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(temporal === undefined ? {} : { metrics: { buffer: temporal.buffer, attachServiceName: false } }),
    },
    // We stop the worker ourselves, so that also the wait for the server can be ended.
    shutdownSignals: [],
  });
  if (temporal === undefined) return;
  temporal.drainEachSecond();
  metrics?.show(() => temporal.drain());
}

const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** The SDK's bookkeeping is left out: who did what is in the history. */
function plain(meta: LogMetadata | undefined): Record<string, unknown> {
  const { taskToken: _token, sdkComponent: _component, ...rest } = meta ?? {};
  return rest;
}

/** Ends the process with one clear sentence when it cannot start. */
export function startOrExplain(main: () => Promise<void>): void {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      log.fatal(error instanceof Error ? error.message : String(error));
      if (error instanceof Error && error.name !== 'ApplicationFailure') log.debug(error.stack);
      process.exit(1);
    },
  );
}
