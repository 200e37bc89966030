/** What an old primary has written beside the new one: once its member is a standby again, it is told row by row. */
import type { Run } from '../../runbook/run.ts';
import { writeLedger } from '../recovery/ledger.ts';
import type { Rebuild } from './choose.ts';

/**
 * The directory that was set aside is compared with the standby that took its place, which holds what the new primary holds. One that was
 * rewound is not kept, and so is not told.
 */
export async function tellWhatWasLost(run: Run, rebuild: Rebuild): Promise<void> {
  const { who, setAside, ownWrites, wasPrimary, follow, serverVersion, segmentBytes } = rebuild;
  if (setAside === undefined || ownWrites === undefined || !wasPrimary) return;
  const { host, dataDirectory } = who.standby;
  run.record({ setAside: [...(run.evidence.setAside ?? []), { host, directory: setAside, dataDirectory }] });
  await writeLedger(run, {
    ...{ member: who.standby, setAside, serverVersion, segmentBytes },
    scratch: { ...who.scratch, directory: `${who.scratch.directory}-ledger` },
    timeline: follow.timeline,
    endsAt: ownWrites.from,
    oldTimeline: ownWrites.timeline,
    ownTransactions: ownWrites.transactions,
  });
}
