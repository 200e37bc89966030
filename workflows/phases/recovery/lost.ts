import type { Run } from '../../runbook/run.ts';
import type { Lost } from './ledger.ts';
import { placeOf, type Recovering } from './recovering.ts';
import type { Replaced } from './replace.ts';
import type { Reached } from './restore.ts';

/** Where what was lost is to be looked for. */
export function lostBy(
  run: Run,
  recovering: Recovering,
  { reached, replaced }: { reached: Reached; replaced: Replaced },
): Lost {
  const { primary: member, timeline: oldTimeline, serverVersion, service } = recovering;
  const { setAside, scratch } = placeOf(run, member);
  return {
    ...{ member, setAside, oldTimeline, serverVersion },
    scratch: { ...scratch, directory: `${scratch.directory}-ledger` },
    timeline: replaced.timeline,
    endsAt: reached.end?.lsn ?? reached.way.located.target.lsn,
    segmentBytes: service.segmentBytes,
  };
}
