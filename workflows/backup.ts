import type { RunSummary } from '../evidence/evidence.ts';
import { formatBytes } from '../evidence/format.ts';
import { member } from '../plan/hosts.ts';
import { backupsOn } from '../plan/sites.ts';
import type { BackupInfo } from '../recovery/archive.ts';
import { clocksMayDifferMs } from '../recovery/clocks.ts';
import type { BackupInput } from './messages.ts';
import { takeAnchor } from './phases/anchor.ts';
import { holdPrimary, samePrimary } from './phases/primary.ts';
import type { Change } from './runbook/change.ts';
import type { Run } from './runbook/run.ts';
import { runbook } from './runbook/runbook.ts';

const types = { full: 'full', differential: 'diff', incremental: 'incr' } as const;
const usual = 'full';

/** Takes a backup of the primary and notes an anchor: a point at which the content of the critical tables is known. */
export async function backup(input?: BackupInput): Promise<RunSummary> {
  return runbook<BackupInput>(
    {
      name: 'backup',
      title: 'Backup',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      unattended: true,
      usualInput: { type: usual },
    },
    input,
    async (run) => {
      const { type = usual } = run.input;
      const roles = await run.phase('assessment', async () => {
        const service = await run.check('The service answers through its front door', () =>
          run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor }),
        );
        const found = await holdPrimary(run);
        await run.check('The evidence store answers', () =>
          run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
        );
        await run.check('The backup repository answers', () =>
          run.host(found.primary).repository({
            backups: backupsOn(run.plan, found.primary),
            segmentBytes: service.segmentBytes,
            outageWithinMs: run.patienceMs(),
          }),
        );
        return found;
      });
      await run.phase('database', async () => {
        await run.change(`Take a ${type} backup`, takeBackup(run, roles.primary, types[type]));
        await run.prove('The same member is still the primary', () => samePrimary(run, roles.primary));
        // Without an anchor a drill cannot prove equality, and says so; the backup restores all the same.
        await takeAnchor(run, roles, 'wanted');
      });
    },
  );
}

function takeBackup(run: Run, primary: string, type: BackupInfo['type']): Change<unknown> {
  const backups = backupsOn(run.plan, primary);
  return {
    preview: async () => ({
      will: `take a ${type} backup of ${primary} into stanza ${backups.stanza}`,
      yields: undefined,
    }),
    apply: async () => {
      const {
        backup: taken,
        found,
        clockAheadMs,
      } = await run.host(primary).takeBackup({
        backups,
        member: member(run.plan, primary),
        type,
        outageWithinMs: run.patienceMs(),
      });
      const { label, stoppedAt, bytes } = taken;
      if (Math.abs(clockAheadMs) >= clocksMayDifferMs)
        run.record({ clocks: [{ clock: `host ${primary}`, of: 'the database', aheadMs: clockAheadMs }] });
      run.record({ backup: { label, type: taken.type, stoppedAt, bytes } });
      run.measure('bytes backed up', bytes, 'bytes', 'size of the restored database, from pgBackRest');
      run.measure('bytes in the repository', taken.repositoryBytes, 'bytes', 'from pgBackRest');
      return { found: `${found} (${formatBytes(bytes)} restored)` };
    },
    undo: { pointOfNoReturn: 'A finished backup stays; pgBackRest discards an unfinished one with the next backup.' },
  };
}
