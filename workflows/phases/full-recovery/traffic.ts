/** Visitors are kept away while what they would come to is brought back, and come again share by share. */
import { assessVisitors, fromNobody, type Led, leadAway, shiftTraffic } from '../shares.ts';
import type { Everything, FullRecoveryRun } from './assess.ts';

/** Whether they would be given errors: of a service whose database or application is not there. */
export function visitorsAreKeptAway(
  run: FullRecoveryRun,
  { lost, parts }: Pick<Everything, 'lost' | 'parts'>,
): boolean {
  if (run.plan.visitors?.closed === undefined) return false;
  return lost !== undefined || parts.some(({ becomes, visited }) => visited && becomes !== 'left-alone');
}

/** @returns how they were led before; undefined where they stay */
export async function keepVisitorsAway(run: FullRecoveryRun, found: Everything): Promise<Led | undefined> {
  if (!visitorsAreKeptAway(run, found)) return undefined;
  const led = await assessVisitors(run, 0);
  if (led === undefined) return undefined;
  await leadAway(run, led);
  run.notePhase(
    'traffic',
    `visitors were led away; if this run does not let them in again: lifeboat start traffic-shift ${run.plan.service} --mode live`,
  );
  return led;
}

/** @param away how they were led before they were led away */
export async function letVisitorsIn(run: FullRecoveryRun, away: Led | undefined): Promise<void> {
  const { visitors } = run.plan;
  const dry = run.mode === 'dry-run';
  if (dry && away !== undefined) return shiftTraffic(run, fromNobody(away));
  await shiftTraffic(run, await assessVisitors(run, 100, visitors?.soak));
  if (dry) return;
  run.record({ recoveredAt: new Date(Date.now()).toISOString() });
  if (away !== undefined) run.notePhase('traffic', 'visitors were led away, and come again');
}
