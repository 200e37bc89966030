/** The evidence of one run: from the run itself while it goes on, from the store for ever after. */
import { cutOff } from '../../evidence/cut-off.ts';
import type { Evidence, Failure } from '../../evidence/evidence.ts';
import { type Engine, type EngineRun, Unanswered } from './engine.ts';
import type { Stores } from './stores.ts';

export type Found =
  | { kind: 'evidence'; evidence: Evidence; from: 'run' | 'store' }
  /** It has not read its plan yet. */
  | { kind: 'starting'; known: EngineRun }
  /** It ended before it had any evidence: what it was started with was refused. */
  | { kind: 'refused'; known: EngineRun; failure: Failure }
  | { kind: 'nowhere' }
  /** Nobody who could know it answered; not the same as being nowhere. */
  | { kind: 'unanswered'; why: string[] };

export async function runEvidence(engine: Engine, stores: Stores, run: string): Promise<Found> {
  const known = await asked(() => engine.describe(run));
  if (known.answer?.status === 'running') return going(engine, known.answer);
  const stored = await stores.read(run);
  if (stored.evidence !== undefined) return { kind: 'evidence', evidence: stored.evidence, from: 'store' };
  if (known.answer !== undefined) return over(engine, known.answer);
  const why = [...(known.why ?? []), ...stored.silent];
  return why.length > 0 ? { kind: 'unanswered', why } : { kind: 'nowhere' };
}

async function asked<T>(question: () => Promise<T>): Promise<{ answer?: T; why?: string[] }> {
  try {
    return { answer: await question() };
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    return { why: [error.message] };
  }
}

async function going(engine: Engine, known: EngineRun): Promise<Found> {
  const { answer, why } = await asked(() => engine.evidence(known.run));
  if (why !== undefined) return { kind: 'unanswered', why };
  return answer === undefined ? { kind: 'starting', known } : { kind: 'evidence', evidence: answer, from: 'run' };
}

/** A run that is over, and of which no store has anything. */
async function over(engine: Engine, known: EngineRun): Promise<Found> {
  const { answer, why } = await asked(() => engine.evidence(known.run));
  if (answer !== undefined) return { kind: 'evidence', evidence: cutOff(answer, known), from: 'run' };
  const failure = (await asked(() => engine.failure(known.run))).answer;
  if (failure !== undefined) return { kind: 'refused', known, failure };
  return { kind: 'unanswered', why: why ?? [`${known.run} is over (${known.status}) and left no evidence.`] };
}
