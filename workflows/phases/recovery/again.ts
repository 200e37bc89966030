/** A target that lies before where the restored server stands: WAL cannot be taken back, so it is restored once more. */
import { formatBytes } from '../../../evidence/format.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { type Restorable, restoreBeside } from '../restore-beside.ts';

export function again(run: Run, restorable: Restorable): Change<{ bytes: number }> {
  const { scratch, backup } = restorable;
  const restore = restoreBeside(run, restorable);
  return {
    ...restore,
    preview: async () => ({
      will: `remove ${scratch.directory} on ${scratch.host}, and restore backup ${backup.label} (${formatBytes(backup.bytes)}) there once more; nothing live is touched`,
      yields: { bytes: backup.bytes },
    }),
    apply: async (preview) => {
      await run.host(scratch.host).removeScratch({ scratch });
      return restore.apply(preview);
    },
  };
}
