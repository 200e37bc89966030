/** A restored server takes the standby's place only once it is known that it holds what the primary holds. */
import type { StoppedAt } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { Anchor, BackupInfo, RecoveryTarget } from '../../../recovery/archive.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { takeAnchorOn } from '../new-primary.ts';
import { compareTables } from '../prove.ts';
import { anchorTarget, replayTo, restoreBeside, restoreStep } from '../restore-beside.ts';
import type { Rebuild } from './choose.ts';

/** @returns how the restored server was stopped */
export async function restoreAndProve(run: Run, rebuild: Rebuild, backup: BackupInfo): Promise<StoppedAt> {
  const { scratch, primary } = rebuild.who;
  const { backups } = rebuild.follow;
  const beside = { scratch, backups, room: { bytes: backup.bytes, keepFree: run.plan.drills.monthly.keepFree } };
  await run.change(restoreStep, restoreBeside(run, { ...beside, backup }));
  run.record({ backup: { label: backup.label, type: backup.type, stoppedAt: backup.stoppedAt, bytes: backup.bytes } });
  // After the restore: what is replayed then is all that there is.
  const taken = await run.change('Take an anchor on the primary', takeAnchorOn(run, primary));
  await run.prove('The archive holds all up to the anchor', () => archived(run, rebuild, backup));
  const target = targetOf(rebuild, taken?.anchor);
  await run.change('Replay to the anchor', replayTo(run, beside, target, `the anchor at ${target.lsn}`));
  await run.prove('The restored standby equals the primary', () => compare(run, rebuild, taken?.anchor));
  return run.change('Stop the restored server', stopBeside(run, rebuild));
}

/** Without an anchor, because the tables were too busy, to where the primary wrote when it was assessed. */
function targetOf({ primaryAt, follow }: Rebuild, anchor: Anchor | undefined): RecoveryTarget & { kind: 'lsn' } {
  const target = { kind: 'lsn', inclusive: false } as const;
  if (anchor === undefined) return { ...target, lsn: primaryAt, timeline: follow.timeline };
  return { ...target, ...anchorTarget(anchor), kind: 'lsn', lsn: anchor.lsn };
}

function archived(run: Run, { who, follow }: Rebuild, backup: BackupInfo): Promise<Found> {
  return run.host(who.primary.host).archiveReaches({
    member: who.primary,
    backups: follow.backups,
    timeline: follow.timeline,
    since: backup.startLsn,
    outageWithinMs: run.patienceMs(),
  });
}

async function compare(run: Run, { who }: Rebuild, anchor: Anchor | undefined): Promise<Found> {
  if (anchor === undefined) return { found: 'not compared: there is no anchor to compare with' };
  const { tables } = await run.host(who.standby.host).fingerprints({
    scratch: who.scratch,
    database: run.plan.database.frontDoor.database,
    tables: anchor.tables.map(({ table }) => table),
  });
  return compareTables(
    run,
    anchor,
    tables,
    `What the repository gives back is not what ${who.primary.host} holds: do not rely on it, and bring ${who.standby.host} back by "way": "basebackup".`,
  );
}

function stopBeside(run: Run, { who, follow }: Rebuild): Change<StoppedAt> {
  return {
    preview: async () => ({
      will: 'stop the restored server in order, and bring all of it to the disk',
      yields: follow.left,
    }),
    apply: () => run.host(who.standby.host).stopBeside({ scratch: who.scratch }),
    undo: { undoneWith: restoreStep },
  };
}
