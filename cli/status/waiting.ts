/** What the runs that go on wait for: asked of each of them, because only a run knows. */
import pMap from 'p-map';
import { type Awaited, awaitedOf } from '../../evidence/asked.ts';
import type { Forecast } from '../../evidence/evidence.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import { type Engine, type ListedRun, Silence } from '../engine/engine.ts';
import { Problem } from '../problem.ts';

export interface OpenQuestions {
  byRun: ReadonlyMap<string, { waits: Awaited[]; forecast?: Forecast }>;
  /** What could not be asked, in words. */
  notes: string[];
}

// A worker answers in milliseconds; one that has died since it last polled costs seconds, once.
const atOnce = 8;

export async function openQuestions(
  engine: Engine,
  running: readonly ListedRun[],
  somebodyWorks: boolean,
): Promise<OpenQuestions> {
  const byRun = new Map<string, { waits: Awaited[]; forecast?: Forecast }>();
  if (!somebodyWorks) return { byRun, notes: running.length === 0 ? [] : [notAsked] };
  let silent = false;
  await pMap(
    running,
    async ({ run }) => {
      if (silent) return;
      try {
        const known = await engine.watch(run).evidence();
        if (known === undefined) return;
        const evidence = seenAt(known, new Date().toISOString());
        const { forecast } = evidence;
        byRun.set(run, { waits: awaitedOf(evidence), ...(forecast === undefined ? {} : { forecast }) });
      } catch (error) {
        // It has ended since, and Temporal keeps it no longer.
        if (error instanceof Problem && error.exit === 'notFound') return;
        if (!(error instanceof Silence)) throw error;
        silent = true;
      }
    },
    { concurrency: atOnce },
  );
  return { byRun, notes: silent ? [notAsked] : [] };
}

const notAsked = 'Whom the runs wait for is not known: no control worker answers.';
