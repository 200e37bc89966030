import type { EndOfRecovery, Scratch, ServiceMoment } from '../activities/shapes.ts';
import { phases, type RunSummary } from '../evidence/evidence.ts';
import type { Anchor } from '../recovery/archive.ts';
import type { MonthlyDrillInput } from './messages.ts';
import { assessSurroundings, noYoungTablespace, pretendDisaster, roomForRestore } from './phases/assess.ts';
import { proveNothingIsLeft } from './phases/clean-up.ts';
import { Clocks } from './phases/clocks.ts';
import { soundArchive } from './phases/own-archive.ts';
import { assertions, endedAtTarget, equalsAnchor, validate } from './phases/prove.ts';
import {
  anchorTarget,
  type Beside,
  promoteThrowAway,
  replayTo,
  restoreBeside,
  restoreStep,
} from './phases/restore-beside.ts';
import { anchorBefore, chosenTarget, newestTarget } from './phases/route.ts';
import { scratchName } from './phases/scratch-name.ts';
import type { Run } from './runbook/run.ts';
import { runbook } from './runbook/runbook.ts';

const definition = {
  name: 'monthly-drill',
  title: 'Monthly drill',
  phases,
  outcomes: { good: 'proven', bad: 'not-proven' },
  alwaysUndo: true,
} as const;

/** Pretends that the primary died now, recovers the service on an isolated server, and proves and measures what came back. */
export async function monthlyDrill(input?: MonthlyDrillInput): Promise<RunSummary> {
  return runbook<MonthlyDrillInput>(definition, input, async (run) => {
    const { host, directory } = run.plan.drills.monthly;
    const scratch: Scratch = { host, directory: `${directory}/${scratchName()}`, service: run.plan.service };
    run.record({ isolatedOn: host });
    await run.hold(host);

    const { beside, target, anchor } = await run.phase('assessment', () => assess(run, scratch));
    const end = await run.phase('database', async () => {
      await run.change(restoreStep, restoreBeside(run, beside));
      const paused = anchor && (await pauseAtAnchor(run, beside, anchor));
      const rolled = await run.change('Roll forward to the target', replayTo(run, beside, target, 'the target'));
      countTransactions(run, paused, rolled);
      const reached = await endedAtTarget(run, beside, target);
      await assertions(run, beside, 'The assertions of the plan hold at the target');
      await run.change('Promote the throw-away server', promoteThrowAway(run, beside));
      return reached;
    });
    await run.phase('application', () =>
      run.prove('The application works on the restored database', () =>
        run.host(host).smoke({ scratch, database: beside.database, application: run.plan.application }),
      ),
    );
    await run.phase('validation', () => validate(run, beside, end));
    await run.phase('traffic', () =>
      run.check('What would be moved', () =>
        run.control.previewTraffic({ traffic: run.plan.traffic, wouldServe: host }),
      ),
    );
    run.notePhase('traffic', 'not moved in a drill');
  });
}

async function pauseAtAnchor(run: Run<MonthlyDrillInput>, beside: Beside, anchor: Anchor): Promise<EndOfRecovery> {
  const paused = await run.change(
    'Replay to the anchor',
    replayTo(run, beside, anchorTarget(anchor), `the anchor at ${anchor.lsn}`),
  );
  await equalsAnchor(run, beside, anchor);
  return paused;
}

/** Beyond the anchor only invariants, assertions and pulses are claimed: the report says how much that is. */
function countTransactions(
  run: Run<MonthlyDrillInput>,
  anchor: EndOfRecovery | undefined,
  target: EndOfRecovery,
): void {
  const { equality } = run.evidence;
  if (equality === undefined || anchor?.nextTransaction === undefined || target.nextTransaction === undefined) return;
  run.record({ equality: { ...equality, transactionsAfter: target.nextTransaction - anchor.nextTransaction } });
}

async function assess(run: Run<MonthlyDrillInput>, scratch: Scratch) {
  const before: { service?: ServiceMoment } = {};
  proveNothingIsLeft(run, scratch, () => before.service);
  const clocks = new Clocks();
  const service = await pretendDisaster(run, clocks);
  before.service = service;
  const repository = await assessSurroundings(run, scratch, service, clocks);
  await clocks.agree(run, service, run.input.target);
  await soundArchive(run, repository, service);
  const chosen = run.input.target;
  const route =
    chosen === undefined
      ? await newestTarget(run, repository, service, scratch)
      : await chosenTarget(run, repository, service, scratch, chosen);
  const { backup, target, segments } = route;
  run.record({ backup: { label: backup.label, type: backup.type, stoppedAt: backup.stoppedAt, bytes: backup.bytes } });
  run.measure(
    'segments',
    segments,
    'segments',
    'WAL segments from the start of the backup to the target, all in the archive',
  );
  const anchor = await anchorBefore(run, repository, route);
  await noYoungTablespace(run, backup, service);
  const room = await roomForRestore(run, scratch, backup, segments * service.segmentBytes);
  await notExercised(run);
  const ancestors = repository.timelines.find(({ id }) => id === service.timeline)?.ancestors ?? [];
  return {
    target,
    anchor,
    beside: { scratch, backup, room, service, ancestors, database: run.plan.database.frontDoor.database },
  };
}

/** What this drill leaves out, and when each was last proven: a report that is silent on it would say too much. */
async function notExercised(run: Run): Promise<void> {
  const { left } = await run.check('What a drill leaves out is named', async () => {
    const proven = await run.control.lastProven({
      store: run.plan.evidence,
      service: run.plan.service,
      outageWithinMs: run.patienceMs(),
    });
    const left = ['swap', 'traffic', 'people'].map((what) => {
      const lastProven = proven[what];
      return lastProven === undefined ? { what } : { what, lastProven };
    });
    const words = left.map(({ what, lastProven }) => `${what} (${lastProven ?? 'never'})`);
    return { left, found: `last proven: ${words.join(', ')}` };
  });
  run.record({ notExercised: left });
}
