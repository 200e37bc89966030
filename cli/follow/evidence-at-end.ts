import type { Evidence, Outcome } from '../../evidence/evidence.ts';
import type { Cli } from '../cli.ts';
import type { Engine, RunState } from '../engine/engine.ts';
import { exitOfRun } from '../exit-codes.ts';
import { storedEvidence } from '../plans.ts';
import { Problem } from '../problem.ts';
import { follow } from './follow.ts';
import { patient } from './patient.ts';

export interface AtEnd {
  /** The end that is hoped for. */
  good: Outcome;
  /** Said when somebody waits no longer. */
  detached: string;
  waitsFor: (state: RunState) => string;
}

/**
 * Waits for the end of a run whose evidence is the answer; what it waits for is said on stderr now and then.
 *
 * @throws Problem it ended otherwise, or somebody waits no longer
 */
export async function evidenceAtEnd(cli: Cli, engine: Engine, run: string, ask: AtEnd): Promise<Evidence> {
  const stop = new AbortController();
  const release = cli.onInterrupt(() => stop.abort());
  try {
    const viewer = patient(cli.terminal, engine.address, cli.pace, ask.waitsFor);
    const watched = { ...engine.watch(run), evidence: async () => undefined };
    const ending = await follow(watched, viewer, stop.signal, cli.pace);
    if (ending === undefined) throw new Problem('detached', ask.detached);
    if (ending.summary?.outcome !== ask.good) {
      const failure = ending.failure ?? { type: 'Bug', message: `${run} ended ${ending.status}.` };
      throw new Problem(exitOfRun({ failure }), failure.message, failure.type);
    }
    const evidence = (await engine.watch(run).evidence()) ?? (await storedEvidence(cli.environment, run)).evidence;
    if (evidence === undefined) throw new Problem('notFound', `${run} has ended, but its evidence is not to be had.`);
    return evidence;
  } finally {
    release();
  }
}
