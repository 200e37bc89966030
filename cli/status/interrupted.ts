/** What a change of the members has left that did not come to its end: a front door that is closed, a server that stands still. */
import type { Evidence } from '../../evidence/evidence.ts';
import type { Plan } from '../../plan/schema.ts';
import { leftByRecovery } from '../../recovery/left-by-recovery.ts';
import { leftBySwitchover } from '../../recovery/left-by-switchover.ts';
import { standingInWords, whatToDo } from '../../recovery/left-standing.ts';
import { type Engine, Silence } from '../engine/engine.ts';
import { Problem } from '../problem.ts';

/** One line each: how it stood when the run ended, what to do by hand, how to find out how it stands now. */
export async function leftInTheMiddle(engine: Engine, run: string, plan: Plan | undefined): Promise<string[]> {
  const evidence = await evidenceOf(engine, run);
  const now = 'How it stands now, and what to do: lifeboat start switchover';
  const look = `${now} ${evidence?.service ?? plan?.service ?? 'SERVICE'} (a dry run)`;
  if (evidence === undefined) return [look];
  if (evidence.endedAt !== undefined)
    return evidence.doorClosed === undefined
      ? []
      : [`Nobody can write: ${evidence.doorClosed.why}`, evidence.doorClosed.byHand, look];
  if (evidence.runbook === 'point-in-time-recovery') {
    const left = leftByRecovery(evidence, plan === undefined ? [] : placesOf(plan));
    return left.length === 0 ? [] : ['Nobody can write.', ...left.map((step, index) => `(${index + 1}) ${step}`), look];
  }
  const standing = plan === undefined ? undefined : leftBySwitchover(evidence, placesOf(plan), plan.traffic);
  if (standing === undefined) return evidence.doorClosed === undefined ? [] : ['Nobody may be able to write.', look];
  const steps = whatToDo(standing);
  if (steps.length === 0) return [];
  return [
    `${standing.leadsTo?.length === 0 ? 'Nobody can write. ' : ''}As it was left: ${standingInWords(standing)}`,
    ...steps.map((step, index) => `(${index + 1}) ${step}`),
    look,
  ];
}

/** Undefined where nobody answers for it any more. */
export async function evidenceOf(engine: Engine, run: string): Promise<Evidence | undefined> {
  try {
    return await engine.watch(run).evidence();
  } catch (error) {
    if (error instanceof Silence || (error instanceof Problem && error.exit === 'notFound')) return undefined;
    throw error;
  }
}

function placesOf({ database }: Plan) {
  return database.members.map(({ host, dataDirectory, control }) => ({
    host,
    dataDirectory,
    start: control?.kind === 'command' ? control.start.join(' ') : `pg_ctl -D ${dataDirectory} -w start`,
  }));
}
