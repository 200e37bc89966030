/** A made-up runbook with all that people can be asked: the activities are borrowed, the layer below is the real one. */
import type { RunSummary } from '../../evidence/evidence.ts';
import type { RunInput } from '../../workflows/messages.ts';
import type { Change } from '../../workflows/runbook/change.ts';
import type { Run } from '../../workflows/runbook/run.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';

const scratch = { host: 'db1', directory: '/srv/scratch/crossing' };

const crossingDefinition = {
  name: 'backup',
  title: 'Crossing',
  phases: ['assessment', 'database'],
  outcomes: { good: 'completed', bad: 'failed' },
  alwaysUndo: false,
  approvals: ['Cross the river'],
} as const;

/** Live or dry: two changes before the water, an approval, one over it that seals them, two behind it. */
export async function crossing(input?: RunInput): Promise<RunSummary> {
  return runbook(crossingDefinition, input, cross);
}

/** The same as a drill. */
export async function rowing(input?: RunInput): Promise<RunSummary> {
  const phases = ['assessment', 'database'] as const;
  return runbook({ ...crossingDefinition, name: 'monthly-drill', title: 'Rowing', phases }, input, cross);
}

async function cross(run: Run): Promise<void> {
  const { frontDoor } = run.plan.database;
  await run.phase('assessment', () =>
    run.check('The river is there', () => run.control.serviceMoment({ frontDoor }), { yields: undefined }),
  );
  await run.phase('database', async () => {
    await run.change('Close the gate', closeGate(run));
    await run.together(
      () => run.change('Load the ferry', loadFerry(run)),
      () => run.prove('The ferry floats', () => run.host('db2').checkIndexes({ scratch, database: 'orders' })),
    );
    for (;;) {
      const { choice } = await run.approval(
        'Cross the river',
        async () => {
          const { timeline, lsn } = await run.control.serviceMoment({ frontDoor });
          return { subject: { ferry: 'db1', timeline }, shown: { level: lsn } };
        },
        { later: { label: 'Cross later', wants: 'time' } },
      );
      if (choice === 'approve') break;
    }
    await run.change('Cross', overTheWater(run));
    await run.change('Open the far gate', farGate(run));
    await run.prove('Everybody is across', () => run.host('db2').checkPages({ scratch }), { yields: undefined });
  });
}

function closeGate(run: Run): Change<unknown> {
  return {
    preview: async () => ({ will: 'close the gate', takesMs: 2_000, yields: undefined }),
    apply: () => run.host('db1').promoteScratch({ scratch }),
    undo: () => run.host('db1').removeScratch({ scratch }),
  };
}

function loadFerry(run: Run): Change<unknown> {
  return {
    preview: async () => ({ will: 'load the ferry', yields: undefined }),
    apply: () => run.host('db1').checkConstraints({ scratch, database: 'orders' }),
    undo: () => run.host('db1').smoke({ scratch, database: 'orders', application: run.plan.application }),
  };
}

function overTheWater(run: Run): Change<unknown> {
  return {
    preview: async () => ({ will: 'cross', yields: undefined }),
    apply: () => run.host('db2').endOfRecovery({ scratch }),
    undo: { pointOfNoReturn: 'the ferry does not go back', seals: true },
  };
}

function farGate(run: Run): Change<unknown> {
  return {
    preview: async () => ({ will: 'open the far gate', yields: undefined }),
    apply: () => run.host('db2').runAssertions({ scratch, database: 'orders', assertions: [] }),
    undo: () => run.host('db2').pulsesRestored({ scratch, database: 'orders' }),
  };
}
