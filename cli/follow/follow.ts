/** Follows one run until it ends or the person has seen enough. Whoever is silent is waited for: the run itself goes on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Evidence } from '../../evidence/evidence.ts';
import { type Ending, type RunState, Silence, type WatchedRun } from '../engine/engine.ts';

export interface Viewer {
  /** Called each time something may have changed. */
  saw(seen: { evidence: Evidence | undefined; state: RunState }): void;
  /** Once, when somebody has not answered for the first time. */
  silent(of: Silence['of'], message: string): void;
  /** Once, when they answer again. */
  answers(of: Silence['of']): void;
  ended(end: { ending: Ending; evidence: Evidence | undefined }): void;
}

export interface Pace {
  everyMs: number;
  /** How long the last page is waited for once a run has ended and no worker answers. */
  lastPageWithinMs: number;
  /** A question that is not answered yet shows after so long that it still is asked, and then again and again. */
  signOfLife: { afterMs: number; everyMs: number };
}

export const usualPace: Pace = {
  everyMs: 500,
  lastPageWithinMs: 10_000,
  signOfLife: { afterMs: 3_000, everyMs: 15_000 },
};

/** @returns how the run ended, or `undefined` when `stop` came first */
export async function follow(
  run: WatchedRun,
  viewer: Viewer,
  stop: AbortSignal,
  pace: Pace,
): Promise<Ending | undefined> {
  const patience = new Patience(viewer);
  let evidence: Evidence | undefined;
  while (!stop.aborted) {
    const state = await patience.ask('engine', () => run.state());
    if (state !== undefined && state.status !== 'running') return close(run, viewer, patience, evidence, stop, pace);
    if (state !== undefined) {
      evidence = (await patience.ask('workers', () => run.evidence())) ?? evidence;
      viewer.saw({ evidence, state });
    }
    await wait(pace.everyMs, stop);
  }
  return undefined;
}

async function close(
  run: WatchedRun,
  viewer: Viewer,
  patience: Patience,
  seen: Evidence | undefined,
  stop: AbortSignal,
  pace: Pace,
): Promise<Ending | undefined> {
  const ending = await insist(() => patience.ask('engine', () => run.ending()), stop, pace);
  if (ending === undefined) return undefined;
  const evidence = await lastPage(run, ending, seen, stop, pace);
  viewer.ended({ ending, evidence });
  return ending;
}

/** The evidence as it stands at the end; what was seen last when no worker tells. */
async function lastPage(
  run: WatchedRun,
  ending: Ending,
  seen: Evidence | undefined,
  stop: AbortSignal,
  pace: Pace,
): Promise<Evidence | undefined> {
  // A run that ended without a summary has written no last page, except when it was cancelled.
  if (ending.summary === undefined && ending.status !== 'cancelled' && seen === undefined) return undefined;
  const deadline = Date.now() + pace.lastPageWithinMs;
  for (;;) {
    try {
      return (await run.evidence()) ?? seen;
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      if (stop.aborted || Date.now() >= deadline) return seen;
    }
    await wait(pace.everyMs, stop);
  }
}

async function insist<T>(
  question: () => Promise<T | undefined>,
  stop: AbortSignal,
  pace: Pace,
): Promise<T | undefined> {
  while (!stop.aborted) {
    const answer = await question();
    if (answer !== undefined) return answer;
    await wait(pace.everyMs, stop);
  }
  return undefined;
}

/** Turns silences into news: one when it begins, one when it is over. */
class Patience {
  readonly #viewer: Pick<Viewer, 'silent' | 'answers'>;
  readonly #silent = new Set<Silence['of']>();

  constructor(viewer: Pick<Viewer, 'silent' | 'answers'>) {
    this.#viewer = viewer;
  }

  async ask<T>(whom: Silence['of'], question: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await question();
      if (this.#silent.delete(whom)) this.#viewer.answers(whom);
      return answer;
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      if (!this.#silent.has(error.of)) this.#viewer.silent(error.of, error.message);
      this.#silent.add(error.of);
      return undefined;
    }
  }
}

async function wait(ms: number, stop: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal: stop });
  } catch {
    // Stopped: the caller looks at the signal itself.
  }
}
