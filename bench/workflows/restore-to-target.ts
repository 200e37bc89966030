import { proxyActivities } from '@temporalio/workflow';
import type { HostChanges } from '../../activities/contract.ts';
import type { Scratch } from '../../activities/shapes.ts';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { RecoveryTarget } from '../../recovery/archive.ts';
import { hostQueue } from '../../workflows/messages.ts';

export interface RestoreToTarget {
  backups: PhysicalBackups;
  scratch: Scratch;
  label: string;
  bytes: number;
  target: RecoveryTarget;
}

/** What a drill does between its assessment and its first proof, and nothing else. */
export async function restoreToTarget(ask: RestoreToTarget): Promise<void> {
  const { backups, scratch, label, bytes, target } = ask;
  const host = onHost(scratch.host);
  await host.restoreBeside({ backups, scratch, label, bytes, throwAway: true });
  await host.replayTo({ backups, scratch, target, outageWithinMs: 600_000, throwAway: true });
}

export async function removeRestored(scratch: Scratch): Promise<void> {
  await onHost(scratch.host).removeScratch({ scratch });
}

function onHost(host: string) {
  return proxyActivities<Pick<HostChanges, 'restoreBeside' | 'replayTo' | 'removeScratch'>>({
    taskQueue: hostQueue(host),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '20s',
    retry: { maximumAttempts: 1 },
  });
}
