/** A server beside the live one: restored, paused at its anchor, rolled forward, promoted when it is to be thrown away. */
import type { EndOfRecovery, Room, Scratch, ServiceMoment } from '../../activities/shapes.ts';
import { formatBytes } from '../../evidence/format.ts';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Anchor, BackupInfo, RecoveryTarget, TimelineInfo } from '../../recovery/archive.ts';
import type { Change } from '../runbook/change.ts';
import type { Run } from '../runbook/run.ts';

/** Name of the step whose undo removes the server, whatever became of it since. */
export const restoreStep = 'Restore the backup beside';

/** The service at one moment; without a position where it could not be asked any more. */
export type Moment = Pick<ServiceMoment, 'at' | 'timeline'> & Partial<Pick<ServiceMoment, 'lsn'>>;

export interface Beside {
  scratch: Scratch;
  backup: BackupInfo;
  database: string;
  room: Room;
  /** The service as it was at T0, and the timelines that lead to its own. */
  service: Moment;
  ancestors: TimelineInfo['ancestors'];
  step?: string;
  /** The archive that it comes from; the plan's when absent. */
  backups?: PhysicalBackups;
}

/** What a restore needs to know. */
export type Restorable = Pick<Beside, 'scratch' | 'backup' | 'room' | 'backups'> & {
  /** It is never to serve, also in a live run. */
  throwAway?: true;
  /** Where one is restored on each of several hosts: name of the step that does it here. */
  step?: string;
};

/** Several servers of one run are told apart by their hosts. */
function onHost({ step, scratch }: Pick<Restorable, 'step' | 'scratch'>): string {
  return step === undefined ? '' : ` on ${scratch.host}`;
}

/** Restores a backup into a directory of its own; nothing live is touched. Undo removes the directory and what runs in it. */
export function restoreBeside(run: Run, restorable: Restorable): Change<{ bytes: number }> {
  const { scratch, backup, room, throwAway, backups = run.plan.backups.physical } = restorable;
  const host = run.host(scratch.host);
  return {
    preview: async () => ({
      will: `restore backup ${backup.label} (${formatBytes(backup.bytes)}) into ${scratch.directory} on ${scratch.host}; nothing live is touched`,
      yields: { bytes: backup.bytes },
    }),
    apply: async () => {
      const started = Date.now();
      const { label, bytes } = backup;
      const restored = await host.restoreBeside({
        backups,
        label,
        bytes,
        scratch,
        throwAway: throwAway ?? run.mode !== 'live',
        room,
        outageWithinMs: run.patienceMs(),
      });
      run.measure(
        `restored${onHost(restorable)}`,
        restored.bytes,
        'bytes',
        'size of the restored data directory, from pgBackRest',
      );
      run.measure(
        `restore${onHost(restorable)}`,
        Date.now() - started,
        'ms',
        'from its start to the last verified file',
      );
      return restored;
    },
    undo: () => host.removeScratch({ scratch }),
    throwAway: true,
  };
}

/** Starts the restored server, or moves it on, and leaves it paused at `target`. The undo is that of the restore. */
export function replayTo(
  run: Run,
  beside: Pick<Beside, 'scratch' | 'room' | 'step' | 'backups'>,
  target: RecoveryTarget,
  where: string,
): Change<EndOfRecovery> {
  const { scratch, room, step = restoreStep, backups = run.plan.backups.physical } = beside;
  return {
    preview: async () => ({
      will: `replay WAL on timeline ${target.timeline} to ${where}, and pause there`,
      yields: { found: '', lsn: target.kind === 'lsn' ? target.lsn : '0/0', timeline: target.timeline },
    }),
    apply: async () => {
      const started = Date.now();
      const end = await run.host(scratch.host).replayTo({
        backups,
        scratch,
        target,
        outageWithinMs: run.patienceMs(),
        throwAway: run.mode !== 'live',
        room,
      });
      run.measure(
        `replay to ${where}${onHost(beside)}`,
        Date.now() - started,
        'ms',
        'from the start of the server to its pause there',
      );
      return end;
    },
    undo: { undoneWith: step },
    throwAway: true,
  };
}

/** The anchor's own LSN is where the next record starts, so it is not included. */
export function anchorTarget(anchor: Anchor): RecoveryTarget {
  return { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: anchor.timeline };
}

/** Ends recovery on the throw-away server, so that proofs which must write can run. */
export function promoteThrowAway(run: Run, { scratch }: Beside): Change<{ timeline: number }> {
  return {
    preview: async () => ({
      will: 'promote the throw-away server, which archives nothing, for the second stage of proof',
      yields: { timeline: 0 },
    }),
    apply: () => run.host(scratch.host).promoteScratch({ scratch, outageWithinMs: run.patienceMs() }),
    undo: { undoneWith: restoreStep },
    throwAway: true,
  };
}
