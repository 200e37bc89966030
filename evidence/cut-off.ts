import type { Evidence } from './evidence.ts';
import { settleEvidence } from './outcome.ts';
import { seenAt } from './seen-at.ts';

/** A run that was terminated could not write its own end: nothing was undone, and its evidence stops where it stood. */
export function cutOff(evidence: Evidence, { status, endedAt }: { status: string; endedAt?: string }): Evidence {
  if (evidence.outcome !== 'running') return evidence;
  const end = endedAt === undefined ? {} : { endedAt };
  const cut: Evidence = {
    ...evidence,
    ...end,
    outcome: 'aborted',
    failure: {
      type: 'Terminated',
      message: `The run ended from outside (${status}): nothing was undone or cleaned up. What its last steps made may still be there.`,
    },
    steps: evidence.steps.map((step) => (step.state === 'running' ? { ...step, ...end, state: 'cancelled' } : step)),
  };
  const seen = endedAt === undefined ? cut : seenAt(cut, endedAt);
  settleEvidence(seen);
  return seen;
}
