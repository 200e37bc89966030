import type { RunSummary } from '../evidence/evidence.ts';
import { Names } from '../recovery/search/naming.ts';
import type { FindInput } from './messages.ts';
import { fromLiveCatalog, fromRestoredCatalog } from './phases/find/names.ts';
import { searchedWal, tell } from './phases/find/search.ts';
import { surroundings, windowOf } from './phases/find/window.ts';
import { runbook } from './runbook/runbook.ts';

/** Reads the archived WAL between two moments, and tells the transactions that look like a disaster, each with the target just before it. */
export async function find(input?: FindInput): Promise<RunSummary> {
  return runbook<FindInput>(
    {
      name: 'find',
      title: 'Search',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: true,
      unattended: true,
    },
    input,
    async (run) => {
      const { around, window } = await run.phase('assessment', async () => {
        const around = await surroundings(run);
        return { around, window: await windowOf(run, around) };
      });
      await run.phase('database', async () => {
        const searched = await searchedWal(run, around, window);
        const names = new Names();
        const live = await fromLiveCatalog(run, around, searched, names);
        const { table, notes } = await fromRestoredCatalog(run, around, searched, names, live);
        await tell(run, around, { window, searched, names, table, notes });
      });
    },
  );
}
