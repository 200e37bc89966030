/** Visitors are kept away while what they would come to is brought back, and come again share by share. */
import { assessVisitors, shiftTraffic } from '../shares.ts';
import type { Everything, FullRecoveryRun } from './assess.ts';

/** Whoever is led to a service that is half there is given errors. Where nobody gets what is left, they stay where they are. */
export async function keepVisitorsAway(run: FullRecoveryRun, { lost, parts }: Everything): Promise<void> {
  const { visitors } = run.plan;
  if (visitors?.closed === undefined) return;
  const served = lost === undefined && parts.every(({ becomes, serves }) => becomes === 'left-alone' || !serves);
  if (!served) await shiftTraffic(run, await assessVisitors(run, 0));
}

export async function letVisitorsIn(run: FullRecoveryRun): Promise<void> {
  await shiftTraffic(run);
  if (run.mode !== 'dry-run') run.record({ recoveredAt: new Date(Date.now()).toISOString() });
}
