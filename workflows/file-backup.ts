import type { RunSummary } from '../evidence/evidence.ts';
import { shortId } from '../recovery/snapshots.ts';
import type { FileBackupInput } from './messages.ts';
import { namedFiles } from './phases/components/named-files.ts';
import type { NamedFiles } from './phases/components/restic.ts';
import { scratchName } from './phases/scratch-name.ts';
import type { Change } from './runbook/change.ts';
import type { Run } from './runbook/run.ts';
import { runbook } from './runbook/runbook.ts';

/** Backs up the files of one component or of all, and reads back what the repositories hold. */
export async function fileBackup(input?: FileBackupInput): Promise<RunSummary> {
  return runbook<FileBackupInput>(
    {
      name: 'file-backup',
      title: 'File backup',
      phases: ['assessment', 'application'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      unattended: true,
    },
    input,
    async (run) => {
      const all = await run.phase('assessment', async () => {
        const named = namedFiles(run.plan, run.input.component);
        for (const { component } of named) await run.hold(component.host);
        for (const { name, component: files } of named)
          await run.check(`The files of ${name} can be backed up`, () => run.host(files.host).filesReadable({ files }));
        return named;
      });
      await run.phase('application', async () => {
        for (const named of all) {
          await run.change(`Back up the files of ${named.name}`, backUp(run, named));
          const { component: files } = named;
          await run.prove(`What is kept of ${named.name} can be read`, () =>
            run.host(files.host).filesSound({ files }),
          );
        }
      });
    },
  );
}

function backUp(run: Run, { name, component: files }: NamedFiles): Change<unknown> {
  return {
    preview: async () => ({
      will: `back up ${files.paths.join(', ')} of ${files.host} into ${files.repository}`,
      yields: undefined,
    }),
    apply: async () => {
      const taken = await run.host(files.host).backUpFiles({ files, tag: `${scratchName()}-${name}` });
      run.measure(
        `bytes backed up of ${name}`,
        taken.bytes,
        'bytes',
        `from restic, snapshot ${shortId(taken.snapshot)}`,
      );
      run.measure(`bytes added of ${name}`, taken.added, 'bytes', 'from restic: new in the repository');
      return taken;
    },
    undo: { pointOfNoReturn: 'A snapshot stays; what an unfinished one has written is used by the next.' },
  };
}
