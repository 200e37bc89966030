import type { Leftover, RunSummary } from '../evidence/evidence.ts';
import { removable } from '../evidence/leftovers.ts';
import type { SweepInput } from './messages.ts';
import { compareWithShown, findLeftovers, hostsOf, removeFrom } from './phases/leftovers.ts';
import { noteClosedDoor } from './phases/standing.ts';
import type { Run } from './runbook/run.ts';
import { runbook } from './runbook/runbook.ts';

/** Finds what runs left behind that could not clean up, and shows it; live, removes exactly what a dry run has shown. */
export async function sweep(input?: SweepInput): Promise<RunSummary> {
  return runbook<SweepInput>(
    {
      name: 'sweep',
      title: 'Sweep',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      unattended: true,
    },
    input,
    async (run) => {
      const hosts = hostsOf(run);
      const left = await run.phase('assessment', () => assess(run, hosts));
      await run.phase('database', async () => {
        for (const host of hosts) {
          const here = left.filter((one) => one.host === host);
          if (here.length > 0) await removeFrom(run, host, here);
        }
      });
    },
  );
}

/** What is to be removed: in a dry run what was found, live what was shown and is still there. */
async function assess(run: Run<SweepInput>, hosts: string[]): Promise<Leftover[]> {
  const shown = run.mode === 'live' ? await recall(run) : undefined;
  // Whoever holds a host is at work there: what it uses must neither be shown as left nor removed.
  for (const host of hosts) await run.hold(host);
  await noteClosedDoor(run);
  const found = await findLeftovers(run, hosts);
  if (shown === undefined) {
    run.record({ leftovers: found, leftBehind: found.filter(removable).map(inWords) });
    return found.filter(removable);
  }
  return run
    .check('What was shown is still what lies there', async () => compareWithShown(shown, found, hosts))
    .then(({ left }) => {
      const others = found.filter((one) => removable(one) && !left.includes(one));
      run.record({ leftovers: left, leftBehind: others.map(inWords) });
      return left;
    });
}

async function recall(run: Run<SweepInput>): Promise<Leftover[]> {
  const { service, evidence } = run.plan;
  await run.check('No live recovery is going on', () => run.control.noLiveRun({ service }));
  const { leftovers } = await run.check('What the dry run has shown is known', () =>
    run.control.shownBy({ run: run.input.shownBy ?? '', service, store: evidence }),
  );
  return leftovers.filter(removable);
}

function inWords({ host, what, run, why }: Leftover): string {
  return `${what} on ${host}${run === undefined ? '' : `, of ${run}`}: ${why}`;
}
