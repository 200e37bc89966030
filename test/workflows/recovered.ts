/** A made-up runbook that has recovered in place and writes its ledger: the phase function is the real one. */
import type { RunSummary } from '../../evidence/evidence.ts';
import { member } from '../../plan/hosts.ts';
import type { RunInput } from '../../workflows/messages.ts';
import { writeLedger } from '../../workflows/phases/recovery/ledger.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';

export async function recovered(input?: RunInput): Promise<RunSummary> {
  return runbook(
    {
      name: 'backup',
      title: 'Recovered',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
    },
    input,
    async (run) => {
      const place = { host: 'db1', directory: '/srv/db1.before-lost', dataDirectory: '/srv/db1' };
      if (run.mode === 'live')
        run.record({
          setAside: [place, { host: 'db2', directory: '/srv/db2.before-lost', dataDirectory: '/srv/db2' }],
        });
      await run.phase('assessment', async () => undefined);
      await run.phase('database', () =>
        writeLedger(run, {
          member: member(run.plan, 'db1'),
          setAside: place.directory,
          scratch: { host: 'db1', directory: '/srv/scratch/lost-ledger', service: run.plan.service },
          ...{ timeline: 2, oldTimeline: 1, serverVersion: 150_018, segmentBytes: 16 * 1024 ** 2 },
          endsAt: '0/9000000',
        }),
      );
    },
  );
}
