/** What can be done beforehand, so that writes are stopped for as short as can be. */
import { slotNameFor } from '../../../recovery/switchover.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { writeCheckpoint } from '../new-primary.ts';
import type { Pair } from './pair.ts';

export async function prepare(run: Run, pair: Pair): Promise<void> {
  await run.change('Make a slot for the way back', slotForTheWayBack(run, pair));
  // After the yes, not before: people may take their time, and it would be of no use any more.
  await run.change('Write a checkpoint on the primary', writeCheckpoint(run, pair.from, ', which shortens its stop'));
}

function slotForTheWayBack(run: Run, { from, to }: Pair): Change<unknown> {
  const ask = { member: to, slot: slotNameFor(from.host) };
  return {
    preview: async () => ({
      will: `make slot ${ask.slot} on ${to.host}, which keeps the WAL that ${from.host} will ask for`,
      yields: undefined,
    }),
    apply: () => run.host(to.host).makeSlot(ask),
    // It may be the standby's death that is undone: the slot goes with it then, and is told as left behind.
    undo: () => run.host(to.host, 3).dropSlot(ask),
  };
}
