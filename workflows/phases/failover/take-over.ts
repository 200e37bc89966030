/** From the closed door to the open one. What fails before the promotion is undone at once, and nobody is asked: nobody can write meanwhile. */
import type { StoppedAt } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { backupsOn, doorOf, shareDoor } from '../../../plan/sites.ts';
import { openByHand } from '../../../recovery/left-standing.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { segmentEnd } from '../../../recovery/segments.ts';
import type { Change } from '../../runbook/change.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { closeDoors, leaveToCheck, measureClosed, openTheDoor } from '../front-door.ts';
import { askItsOwnStore } from '../region/store.ts';
import { stillHolds } from './attest.ts';
import { fenceOff, stillFenced } from './fence.ts';
import type { FailoverRun, Fenced, Lost, Moved } from './lost.ts';

const replaysWithinMs = 120_000;
const promotesWithinMs = 60_000;
const archiveWithinMs = 5_000;
const attempts = 3;

export async function takeOver(run: FailoverRun, lost: Lost, fenced: Fenced): Promise<Moved> {
  stillHolds(fenced, lost.from.host);
  const closed = await run.change('Close the front door', closeTheDoor(run, lost));
  await fenceOff(run, lost);
  await askItsOwnStore(run, lost.to, lost.from, { urgent: true });
  const end = await run.checkAtOnce('The standby has replayed all that it will ever have', () =>
    whereItEnds(run, lost),
  );
  await run.check('The archive holds nothing that the standby lacks', () => archiveHoldsNoMore(run, lost, end), {
    yields: { found: 'accepted' },
  });
  const { timeline } = await run.change('Promote the standby', promote(run, lost, end, fenced));
  return { left: end, timeline, closedAt: closed.at };
}

function closeTheDoor(run: FailoverRun, lost: Lost): Change<{ at: string }> {
  const { from, to } = lost;
  const { traffic } = doorOf(run.plan, to.host);
  return {
    urgent: true,
    preview: async () => ({
      will: `take every server of ${traffic.backend} out: if ${from.host} comes back, it is given no session`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: () => {
      run.doorCloses({
        why: `it was closed because ${from.host} is lost, and is not open to ${to.host} yet.`,
        byHand: `Make sure that one server alone is the primary, then open it to that one: ${openByHand(traffic)}`,
      });
      return closeDoors(run, run.controlWithin(attempts), [to, from], { mayBeGone: from.host });
    },
    undo: () => asBefore(run, lost),
    opensDoor: true,
  };
}

/** To the old primary, if it takes writes again; else as it was: to nobody, and to whoever the load balancer's own check finds. */
async function asBefore(run: FailoverRun, lost: Lost): Promise<Found> {
  const { from, to, others, checked, timeline, systemIdentifier } = lost;
  const { traffic, database } = doorOf(run.plan, from.host);
  const where = { database, addresses: addresses(run.plan) };
  const { members, found } = await run.control.members(where);
  if (members.some(({ host, role }) => host === from.host && role === 'primary')) {
    const opened = await run.control.openDoor({ traffic, ...where, to: from.host, timeline, systemIdentifier });
    run.doorOpens();
    for (const { host } of checked ? [to, ...others] : [])
      if (!shareDoor(run.plan, host, from.host)) await release(run, host);
    return opened;
  }
  if (!checked)
    throw failure(
      'DatabaseUnreachable',
      `nobody takes writes (${found}), so the front door stays closed. Once ${from.host} does: ${openByHand(traffic, from.host)}`,
    );
  for (const { host } of [from, to, ...others]) if (shareDoor(run.plan, host, to.host)) await release(run, host);
  run.doorOpens();
  if (!shareDoor(run.plan, from.host, to.host)) await releaseIfThere(run, from.host);
  return { found: `left to the load balancer's own check, as before: it leads to whoever is the primary (${found})` };
}

function release(run: FailoverRun, server: string): Promise<Found> {
  return run.control.releaseServer({ traffic: doorOf(run.plan, server).traffic, server });
}

/** The load balancer of a lost site may be lost with it, and closes nothing then. */
async function releaseIfThere(run: FailoverRun, server: string): Promise<void> {
  try {
    await run.controlWithin(1).releaseServer({ traffic: doorOf(run.plan, server).traffic, server });
  } catch (error) {
    if (failureOf(error).type !== 'TrafficUnreachable') throw error;
  }
}

async function whereItEnds(run: FailoverRun, lost: Lost): Promise<Found & StoppedAt> {
  const { to, others, systemIdentifier } = lost;
  if (run.mode === 'dry-run')
    return {
      found: 'not looked at: nothing is fenced in a dry run',
      lsn: lost.replayed,
      timeline: lost.timeline,
      systemIdentifier,
    };
  const ends = (member: Member) => run.host(member.host, attempts).replayedAll({ member, withinMs: replaysWithinMs });
  const [own, ...rest] = await Promise.all([
    ends(to),
    // One that cannot say where it ends is no reason to keep the service down; it held no more when it was assessed.
    ...others.map((member) =>
      ends(member).then(
        (end) => ({ member, ...end }),
        () => undefined,
      ),
    ),
  ]);
  const more = rest
    .flatMap((one) => one ?? [])
    .find(({ lsn, timeline }) => timeline === own.timeline && compareLsn(lsn, own.lsn) > 0);
  if (more !== undefined)
    throw failure(
      'StandbyUnfit',
      `${more.member.host} holds up to ${more.lsn} by now, ${to.host} only up to ${own.lsn}: it would have to be promoted instead. Start again.`,
    );
  if (own.timeline !== lost.timeline)
    throw failure(
      'Moved',
      `${to.host} is on timeline ${own.timeline} by now, and was on ${lost.timeline} when it was assessed: somebody has promoted its primary. Start again.`,
    );
  return { lsn: own.lsn, timeline: own.timeline, systemIdentifier, found: own.found };
}

/** A store that is away too must not keep the service down: then it is only said. */
async function archiveHoldsNoMore(
  run: FailoverRun,
  { to, segmentBytes, timeline }: Lost,
  { lsn }: StoppedAt,
): Promise<Found> {
  // It may still receive, or replay what it has.
  if (run.mode === 'dry-run') return { found: 'not compared: the standby has not come to its end yet' };
  let end: string | undefined;
  try {
    const { timelines } = await run.host(to.host, 1).repository({
      backups: backupsOn(run.plan, to.host),
      ...{ segmentBytes, outageWithinMs: archiveWithinMs },
    });
    const last = timelines.find(({ id }) => id === timeline)?.ranges.at(-1)?.last;
    end = last === undefined ? undefined : segmentEnd(last, segmentBytes);
  } catch (error) {
    return { found: `not known: the archive cannot be read (${failureOf(error).message})` };
  }
  if (end === undefined) return { found: `it holds nothing of timeline ${timeline}` };
  // Where a standby has all of a segment, it has come to its end: one that ends within it lacks the rest.
  if (compareLsn(end, lsn) > 0)
    throw failure(
      'StandbyUnfit',
      `the archive holds WAL up to ${end}, ${to.host} has only ${lsn}: what lies between would be lost without need. Let ${to.host} replay it first (restore_command), then try again; or skip this, and accept that it is lost.`,
    );
  return {
    found: `the archive ends at ${end}, ${to.host} at ${lsn}`,
    expected: 'no WAL that the standby lacks',
  };
}

function promote(run: FailoverRun, lost: Lost, end: StoppedAt, fenced: Fenced): Change<{ timeline: number }> {
  const { from, to } = lost;
  let tried = false;
  return {
    urgent: true,
    preview: async () => {
      // It may be promoted by an attempt of which only the end was not seen.
      if (!tried) stillHolds(fenced, from.host);
      if (run.mode !== 'dry-run') await stillFenced(run, lost);
      tried = run.mode !== 'dry-run';
      return { will: `promote ${to.host}, which ends at ${end.lsn}`, yields: { timeline: end.timeline + 1 } };
    },
    apply: () => run.host(to.host).promoteStandby({ member: to, from: end, withinMs: promotesWithinMs, atLeast: true }),
    undo: {
      pointOfNoReturn: `${to.host} writes on a timeline of its own from now on: the way back is a switchover, once ${from.host} is its standby.`,
      seals: true,
    },
  };
}

export async function openToTheNew(run: FailoverRun, lost: Lost, { timeline, closedAt }: Moved): Promise<void> {
  const opened = await run.change(
    'Open the front door to the new primary',
    openTheDoor(run, { to: lost.to, systemIdentifier: lost.systemIdentifier, timeline }),
  );
  if (run.mode !== 'dry-run') {
    run.record({ recoveredAt: opened.at });
    measureClosed(run, closedAt, opened.at);
  }
  // One that could come back as a primary would be let in by that check: it is given back once it is a standby.
  const givenBack = [...(lost.fence.kind === 'postgres' ? [lost.from] : []), ...lost.others].filter(({ host }) =>
    shareDoor(run.plan, host, lost.to.host),
  );
  if (lost.checked)
    for (const { host } of givenBack)
      await run.change(`Leave ${host} to the load balancer's check`, leaveToCheck(run, host));
}
