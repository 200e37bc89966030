/**
 * The restored primary takes the live one's place. Two servers never write: the live ones are stopped before the restored one may
 * archive, and nothing of its timeline is anywhere before it has been started in its place.
 */
import type { Following, StoppedAt } from '../../../activities/contract.ts';
import type { Member } from '../../../plan/schema.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { promoteThrowAway } from '../restore-beside.ts';
import type { WayBack } from './quiesce.ts';
import {
  membersOf,
  type Place,
  placeIn,
  placeOf,
  type RecoveryRun,
  type Restoring,
  replacementOf,
  restoreStepOn,
} from './recovering.ts';
import { besidesOf, type Reached, type Rooms } from './restore.ts';

const stopsWithinMs = 60_000;
const startsWithinMs = 300_000;

/** The recovered primary, in its place. */
export interface Replaced {
  timeline: number;
  /** Where each restored server was stopped, by the name of its host. */
  left: Record<string, StoppedAt>;
}

export async function replacePrimary(
  run: RecoveryRun,
  recovering: Restoring,
  { reached, rooms }: { reached: Reached; rooms: Rooms },
  back: WayBack,
): Promise<Replaced> {
  const replaced = await promoteBeside(run, recovering, { reached, rooms });
  await run.together(
    ...recovering.standbys.map(
      (member) => () => run.change(`Stop the standby on ${member.host}`, stopStandby(run, member)),
    ),
  );
  await run.change('Stop the primary', stopPrimary(run, recovering, back, replaced.timeline));
  await takePlace(run, recovering, replaced, back);
  return replaced;
}

/** Promotes the restored primary where nobody sees it, and leaves all restored servers stopped in order. */
export async function promoteBeside(
  run: RecoveryRun,
  recovering: Restoring,
  { reached, rooms }: { reached: Reached; rooms: Rooms },
): Promise<Replaced> {
  // From here on what stands beside is no copy any more that could be made anew.
  run.forgetWhatStands();
  const [beside] = besidesOf(run, recovering, reached.way, rooms);
  if (beside === undefined) throw failure('Bug', 'nothing was restored');
  const { timeline } = await run.change('Promote the restored primary', promoteRestored(run, beside, recovering));
  return { timeline, left: await stopBesides(run, recovering, timeline) };
}

/** The restored primary becomes the one of production, and its timeline is in the archive. */
export async function takePlace(
  run: RecoveryRun,
  recovering: Restoring,
  { timeline, left }: Replaced,
  back: WayBack,
): Promise<void> {
  const { primary } = recovering;
  await run.change(
    `Put the restored data in place on ${primary.host}`,
    putInPlace(run, placeIn(run, recovering, primary), leftOn(left, primary)),
  );
  await run.change('Start the recovered primary', startRecovered(run, recovering, back, timeline));
  await run.prove('The archive holds the new timeline', () =>
    run.host(primary.host).archiveReaches({
      ...{ member: primary, backups: run.plan.backups.physical, timeline },
      outageWithinMs: run.patienceMs(),
    }),
  );
}

/** It archives nothing while it is beside, so its new timeline is nowhere else, and goes with it. */
function promoteRestored(
  run: Run,
  beside: Parameters<typeof promoteThrowAway>[1],
  { timeline }: Restoring,
): Change<{ timeline: number }> {
  const { throwAway: _not, ...promotion } = promoteThrowAway(run, beside);
  return {
    ...promotion,
    preview: async () => ({
      will: `promote the restored server beside on ${beside.scratch.host}, which archives nothing there: nobody sees its new timeline yet`,
      yields: { timeline: timeline + 1 },
    }),
    undo: { undoneWith: beside.step ?? restoreStepOn(beside.scratch.host) },
  };
}

async function stopBesides(run: RecoveryRun, recovering: Restoring, timeline: number): Promise<Replaced['left']> {
  const stopped = await run.together(
    ...membersOf(recovering).map((member) => async (): Promise<[string, StoppedAt]> => {
      const promoted = member === recovering.primary;
      const {
        lsn,
        timeline: at,
        systemIdentifier,
      } = await run.change(
        `Stop the restored server on ${member.host}`,
        stopBeside(run, placeOf(run, member), { recovering, promoted, timeline }),
      );
      return [member.host, { lsn, timeline: at, systemIdentifier }];
    }),
  );
  return Object.fromEntries(stopped);
}

function stopBeside(
  run: Run,
  { scratch }: Place,
  { recovering, promoted, timeline }: { recovering: Restoring; promoted: boolean; timeline: number },
): Change<StoppedAt> {
  const { systemIdentifier } = recovering;
  return {
    preview: async () => ({
      will: `stop the restored server beside on ${scratch.host} in order, and bring all of it to the disk`,
      yields: { lsn: '0/0', timeline: promoted ? timeline : recovering.timeline, systemIdentifier },
    }),
    apply: async () => {
      const stopped = await run.host(scratch.host).stopBeside({ scratch });
      if (stopped.inRecovery === promoted)
        throw failure(
          'BesideLost',
          `the restored server beside on ${scratch.host} was stopped as ${stopped.inRecovery ? 'one that is still in recovery' : 'a primary'}, expected ${promoted ? 'the promoted one' : 'one in recovery'}: it was made anew, or promoted by somebody. Start again.`,
        );
      return stopped;
    },
    undo: { undoneWith: restoreStepOn(scratch.host) },
  };
}

export function leftOn(left: Replaced['left'], { host }: Member): StoppedAt {
  const found = left[host];
  if (found === undefined) throw failure('Bug', `nothing was stopped on ${host}`);
  return found;
}

function stopStandby(run: Run, member: Member): Change<unknown> {
  return {
    preview: async () => ({ will: `stop the standby on ${member.host}, whose data are replaced`, yields: undefined }),
    apply: () => run.host(member.host).stopStandby({ member, withinMs: stopsWithinMs }),
    undo: () => run.host(member.host).startStandby({ member, withinMs: startsWithinMs }),
  };
}

function stopPrimary(
  run: Run,
  { primary, timeline, systemIdentifier }: Restoring,
  back: WayBack,
  recovered: number,
): Change<unknown> {
  const host = run.host(primary.host);
  return {
    preview: async () => ({
      will: `stop the server on ${primary.host} (fast: it writes a checkpoint and archives what it has)`,
      yields: undefined,
    }),
    apply: () => host.stopPrimary({ member: primary, timeline, systemIdentifier, withinMs: stopsWithinMs }),
    undo: async () => {
      if (!back.begun) return host.startPrimary({ member: primary, timeline, withinMs: startsWithinMs });
      // The archive may hold the recovered timeline: the old database goes on above it, so that the newest timeline is its own again.
      const returned = await host.returnOnNewTimeline({
        ...{ member: primary, backups: run.plan.backups.physical, above: recovered },
        ...{ withinMs: startsWithinMs, outageWithinMs: run.patienceMs() },
      });
      back.timeline = returned.timeline;
      return returned;
    },
  };
}

/** Two renames: the live directory is set aside, the restored one takes its place. Undo gives each its own back, bit for bit. */
export function putInPlace(run: Run, place: Place, left: StoppedAt, follow?: Following): Change<unknown> {
  const { member, setAside, onto } = place;
  const { host, dataDirectory } = member;
  const replacement = replacementOf(run, place);
  const others = () => (run.evidence.setAside ?? []).filter((one) => one.host !== host);
  return {
    preview: async () => ({
      will:
        onto === 'nothing'
          ? `put the restored directory in the place of ${dataDirectory} on ${host}, where nothing lies`
          : `set ${dataDirectory} on ${host} aside as ${setAside}, and put the restored directory in its place`,
      yields: undefined,
    }),
    apply: async () => {
      // Told before it is done: a run that ends in between has set it aside all the same.
      if (onto !== 'nothing') run.record({ setAside: [...others(), { host, directory: setAside, dataDirectory }] });
      return run.host(host).replaceDirectory({ ...replacement, left, ...(follow === undefined ? {} : { follow }) });
    },
    undo: async () => {
      const undone = await run.host(host).replaceBack(replacement);
      if (onto !== 'nothing') run.record({ setAside: others() });
      return undone;
    },
  };
}

function startRecovered(
  run: Run,
  { primary, systemIdentifier }: Restoring,
  back: WayBack,
  timeline: number,
): Change<unknown> {
  const host = run.host(primary.host);
  return {
    preview: async () => ({
      will: `start the server on ${primary.host}: the recovered database, on timeline ${timeline}`,
      yields: undefined,
    }),
    apply: () => {
      back.begun = true;
      return host.startReplaced({ member: primary, timeline, systemIdentifier, withinMs: startsWithinMs });
    },
    undo: () => host.stopPrimary({ member: primary, timeline, systemIdentifier, withinMs: stopsWithinMs }),
  };
}
