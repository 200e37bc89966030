/** A question about an archive that a workflow answers: it reads, and has no evidence to look at. */
import { controlQueue } from '../workflows/messages.ts';
import type { Cli } from './cli.ts';
import type { Engine, RunState } from './engine/engine.ts';
import { exitOfRun } from './exit-codes.ts';
import { follow } from './follow/follow.ts';
import { patient } from './follow/patient.ts';
import { serviceMeant } from './plans.ts';
import { Problem } from './problem.ts';

export interface Question<T> {
  /** The workflow's type. */
  type: string;
  /** Follows the service in the run's name: `recovery-window`. */
  name: string;
  input: object;
  summary: string;
  withinMs: number;
  isAnswer(value: unknown): value is T;
}

/** @param given the service, if one was named */
export async function askWorkers<T>(
  cli: Cli,
  engine: Engine,
  given: string | undefined,
  question: Question<T>,
): Promise<T> {
  const service = await serviceMeant(cli.environment, given);
  if ((await engine.workers(controlQueue)).length === 0)
    throw new Problem(
      'nobodyWorks',
      `Nobody works on task queue ${controlQueue}: start lifeboat-control (namespace ${engine.namespace} at ${engine.address}), then ask again.`,
    );
  const { type, name, input, summary, withinMs } = question;
  const of = service === undefined ? '' : ` of ${service}`;
  const { run } = await engine.start({
    type,
    prefix: `${service === undefined ? '' : `${service}-`}${name}`,
    input: { ...(service === undefined ? {} : { service }), ...input },
    summary: `${summary}${of} (reads only)`,
    withinMs,
  });
  return answerOf(cli, engine, run, { ...question, what: `the archive${of}` });
}

interface Asked<T> extends Question<T> {
  /** `the archive of orders`, for when it takes long. */
  what: string;
}

async function answerOf<T>(cli: Cli, engine: Engine, run: string, question: Asked<T>): Promise<T> {
  const stop = new AbortController();
  const release = cli.onInterrupt(() => stop.abort());
  try {
    // It has no evidence to look at: only its end is waited for.
    const watched = { ...engine.watch(run), evidence: async () => undefined };
    const viewer = patient(cli.terminal, engine.address, cli.pace, (state) => waitsFor(question.what, state));
    const ending = await follow(watched, viewer, stop.signal, cli.pace);
    if (ending === undefined) throw new Problem('detached', `Stopped waiting; ${run} ends by itself.`);
    if (question.isAnswer(ending.result)) return ending.result;
    const failure = ending.failure ?? { type: 'Bug', message: `${run} ended ${ending.status} without an answer.` };
    throw new Problem(exitOfRun({ failure }), `${failure.type}: ${failure.message}`, failure.type);
  } finally {
    release();
  }
}

/** `asking the archive of orders through host-db2@41802 ...`; of attempts that failed, why. */
function waitsFor(what: string, { pending: [asked] }: RunState): string {
  if (asked === undefined) return `asking for ${what} ...`;
  const through = asked.worker === undefined ? '' : ` through ${asked.worker}`;
  const again = asked.attempt > 1 ? `, attempt ${asked.attempt}` : '';
  const why = asked.lastFailure === undefined ? '' : ` (${asked.lastFailure})`;
  if (!asked.started && asked.attempt === 1) return `waiting for a worker that asks ${what} ...`;
  return `asking ${what}${through}${again} ...${why}`;
}
