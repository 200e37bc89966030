/** The standbys come back beside the recovered primary: restored to the very same record, and attached once the fork is archived. */
import type { Following } from '../../../activities/contract.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { slotNameFor } from '../../../recovery/switchover.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { followingOf, placeIn, type RecoveryRun, type Restoring } from './recovering.ts';
import { leftOn, putInPlace, type Replaced } from './replace.ts';

const startsWithinMs = 300_000;
const stopsWithinMs = 60_000;

/** All of them side by side. */
export async function attachStandbys(run: RecoveryRun, recovering: Restoring, replaced: Replaced): Promise<void> {
  const { standbys, timeline: before } = recovering;
  const { timeline, left } = replaced;
  await run.together(
    ...standbys.map((member) => async () => {
      const stopped = leftOn(left, member);
      const following = followingOf(run, recovering, member, { left: stopped, timeline });
      if (following === undefined) throw failure('Bug', 'there is a standby, and nobody knows how it connects');
      await run.change(`Make a slot for ${member.host}`, makeSlot(run, recovering, member));
      await run.change(
        `Put the restored data in place on ${member.host}`,
        putInPlace(run, placeIn(run, recovering, member), stopped, following),
      );
      await run.change(`Start the standby on ${member.host}`, start(run, following, before));
    }),
  );
}

/** Slots are in no backup. */
function makeSlot(run: Run, { primary }: Restoring, { host }: Member): Change<unknown> {
  const slot = slotNameFor(host);
  return {
    preview: async () => ({
      will: `make slot ${slot} on ${primary.host}, which keeps the WAL that ${host} will ask for`,
      yields: undefined,
    }),
    apply: () => run.host(primary.host).makeSlot({ member: primary, slot }),
    undo: { undoneWith: `Put the restored data in place on ${primary.host}` },
  };
}

function start(run: Run, following: Following, before: number): Change<unknown> {
  const { member, primary, timeline } = following;
  return {
    preview: async () => ({
      will: `start ${member.host}; it goes from timeline ${before} to ${timeline}, and streams from ${primary.host}`,
      yields: undefined,
    }),
    apply: () => run.host(member.host).startFollower({ ...following, withinMs: startsWithinMs }),
    undo: () => run.host(member.host).stopStandby({ member, withinMs: stopsWithinMs }),
  };
}

/** One primary, on the recovered timeline, and every other member its standby there. */
export async function newRoles(run: RecoveryRun, { primary, standbys }: Restoring, { timeline }: Replaced) {
  const { members, found, expected } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const wrong = (host: string, role: 'primary' | 'standby') => {
    const state = members.find((one) => one.host === host);
    return state?.role !== role || (state.timeline !== undefined && state.timeline !== timeline);
  };
  if (!wrong(primary.host, 'primary') && standbys.every(({ host }) => !wrong(host, 'standby')))
    return { found, expected };
  throw failure(
    'Moved',
    `${found}; expected ${primary.host} as the primary on timeline ${timeline}, and every other member as its standby there.`,
  );
}
