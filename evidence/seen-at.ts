import type { Evidence, PhaseRecord } from './evidence.ts';
import { forecastAt } from './forecast.ts';

/**
 * A run that goes on, as it stands at a moment. Its evidence changes only when something happens in it, and a run that waits for people does
 * nothing for hours: whoever shows it counts the time since. Of a run that is over, nothing moves any more.
 *
 * @param now ISO 8601, UTC, on the clock of whoever looks
 */
export function seenAt(evidence: Evidence, now: string): Evidence {
  const at = Date.parse(evidence.endedAt ?? now);
  if (!Number.isFinite(at)) return evidence;
  const { forecast } = evidence;
  return {
    ...evidence,
    phases: evidence.phases.map((phase) => counted(phase, at, evidence.endedAt === undefined)),
    ...(forecast === undefined || evidence.endedAt !== undefined
      ? {}
      : { forecast: forecastAt(evidence, forecast, at) }),
  };
}

function counted({ peopleSince, ...phase }: PhaseRecord, at: number, goesOn: boolean): PhaseRecord {
  const since = Date.parse(peopleSince ?? '');
  if (peopleSince === undefined || !Number.isFinite(since)) return phase;
  const until = Math.max(since, at);
  return {
    ...phase,
    peopleMs: phase.peopleMs + until - since,
    ...(goesOn ? { peopleSince: new Date(until).toISOString() } : {}),
  };
}
