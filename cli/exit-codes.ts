/** What the shell is told. Scripts depend on these: a number never changes its meaning. */
import type { Outcome } from '../evidence/evidence.ts';

export const exitCodes = {
  good: 0,
  endedBadly: 1,
  badInput: 2,
  engineUnreachable: 3,
  refused: 4,
  notFound: 5,
  nobodyWorks: 6,
  differs: 7,
  leftThere: 8,
  notAccepted: 9,
  notSent: 10,
  bug: 70,
  detached: 130,
} as const;

export type ExitName = keyof typeof exitCodes;

export const exitMeanings: Record<ExitName, string> = {
  good: 'good: proven, recovered, completed or previewed; or the question was answered',
  endedBadly: 'the run ended badly: not-proven, failed, aborted, cancelled, terminated',
  badInput: 'bad usage or input: unknown option, runbook or field, a time without offset, an invalid plan',
  engineUnreachable: 'the Temporal server does not answer, or does not let us in',
  refused: 'refused: another run holds the lock, or a live recovery is going on',
  notFound: 'there is no such run, or no evidence of it',
  nobodyWorks: 'no worker polls the task queue, so the question cannot be answered',
  differs: 'schedules diff: what is on the Temporal server is not what the plans say',
  leftThere: 'sweep: something was left behind, was shown, and was not removed; or the front door is closed',
  notAccepted: 'the run did not take the message: it refused it and said why, does not ask for it, or has ended',
  notSent: 'shown, and not sent: the answer was no, or nobody could be asked',
  bug: 'Lifeboat made a mistake: please report it',
  detached: 'Ctrl-C while following: the run goes on, its outcome is not known yet',
};

const goodOutcomes: readonly Outcome[] = ['proven', 'recovered', 'completed', 'previewed'];

// A run that ended with one of these has not begun its work.
const refusals: readonly string[] = ['LockHeld', 'LiveRunInProgress', 'Refused'];
const badInputs: readonly string[] = ['InputInvalid', 'PlanInvalid'];

/** How a run's end reads to a script: by the type of its failure first, by its outcome otherwise. */
export function exitOfRun(end: { outcome?: Outcome; failure?: { type: string } }): ExitName {
  if (end.failure !== undefined && refusals.includes(end.failure.type)) return 'refused';
  if (end.failure !== undefined && badInputs.includes(end.failure.type)) return 'badInput';
  return end.outcome !== undefined && goodOutcomes.includes(end.outcome) ? 'good' : 'endedBadly';
}

export function exitCodesInWords(): string {
  const names = Object.keys(exitCodes) as ExitName[];
  return names.map((name) => `${String(exitCodes[name]).padStart(4)}  ${exitMeanings[name]}`).join('\n');
}
