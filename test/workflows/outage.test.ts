/** A run hears from its activities what they wait for, shows it while it lasts, and counts it apart. */
import { Context } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../evidence/evidence.ts';
import type { OutageNote } from '../../evidence/waits.ts';
import { evidenceQuery, outageSignal } from '../../workflows/messages.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

/** What the activity that is going on says of an outage, and what its run shows then. */
async function tell(note: Partial<OutageNote>): Promise<Evidence> {
  const { info, client } = Context.current();
  const run = client.workflow.getHandle(info.workflowExecution?.workflowId ?? '');
  const { activityId: activity } = info;
  const what = 'the backup repository';
  await run.signal(outageSignal, { activity, what, why: 'refused', sinceMs: 0, leftMs: 60_000, ...note });
  return run.query(evidenceQuery);
}

describe('a run', () => {
  it('shows what a step waits for while it waits, and afterwards for how long it did', async () => {
    const estate = new FakeEstate();
    const seen: Evidence[] = [];
    estate.before = async (activity) => {
      if (activity !== 'restoreBeside') return;
      seen.push(await tell({ sinceMs: 5_000 }));
      seen.push(await tell({ over: true }));
    };
    await rig.run(estate, 'monthlyDrill', [{}]);
    const step = (evidence: Evidence | undefined) =>
      evidence?.steps.find(({ id }) => id === 'database/restore-the-backup-beside');
    expect(step(seen[0])).toMatchObject({
      state: 'running',
      waits: [{ what: 'the backup repository', why: 'refused' }],
    });
    expect(step(seen[0])?.waits?.[0]?.until).toBeUndefined();
    expect(step(seen[1])?.waits?.[0]?.until).toBeDefined();
    const [written] = estate.written;
    const [wait] = step(written)?.waits ?? [];
    const lasted = Date.parse(wait?.until ?? '') - Date.parse(wait?.since ?? '');
    expect(lasted).toBeGreaterThanOrEqual(5_000);
    expect(written?.phases.find(({ name }) => name === 'database')?.retriesMs).toBe(lasted);
  });

  it('gives each step that stands on a store what is left of its phase to wait with', async () => {
    const estate = new FakeEstate();
    const asked: Record<string, number | undefined> = {};
    const hostChanges = estate.hostChanges.bind(estate);
    estate.hostChanges = () => {
      const fakes = hostChanges();
      return {
        ...fakes,
        replayTo: (ask) => {
          asked.replay = ask.outageWithinMs;
          return fakes.replayTo(ask);
        },
        restoreBeside: (ask) => {
          asked.restore = ask.outageWithinMs;
          return fakes.restoreBeside(ask);
        },
      };
    };
    await rig.run(estate, 'monthlyDrill', [{}]);
    const budget = estate.plan.phases.database;
    expect(asked.restore).toBeLessThanOrEqual(budget);
    expect(asked.restore).toBeGreaterThan(budget - 60_000);
    expect(asked.replay).toBeLessThanOrEqual(asked.restore ?? 0);
  });

  it('takes no notice of an outage in a step that it does not have, or has left', async () => {
    const estate = new FakeEstate();
    estate.before = async (activity) => {
      if (activity === 'restoreBeside') await tell({ activity: 'database/no-such-step' });
      if (activity === 'smoke') await tell({ activity: 'database/restore-the-backup-beside' });
    };
    expect(await rig.run(estate, 'monthlyDrill', [{}])).toMatchObject({ outcome: 'proven' });
    expect(estate.written[0]?.steps.flatMap(({ waits }) => waits ?? [])).toEqual([]);
  });
});
