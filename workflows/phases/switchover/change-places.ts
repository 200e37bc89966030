/**
 * The part in which nobody can write: few steps, each one round trip. What fails before the promotion is undone at once, and nobody is
 * asked: people would wait for people.
 */
import type { StoppedAt } from '../../../activities/contract.ts';
import { addresses } from '../../../plan/hosts.ts';
import { doorOf } from '../../../plan/sites.ts';
import { openByHand } from '../../../recovery/left-standing.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { closeDoors, measureClosed, openTheDoor } from '../front-door.ts';
import { both, type Moved, type Pair } from './pair.ts';

/** Each waits for something that takes well below a second. */
const stopsWithinMs = 30_000;
const startsWithinMs = 60_000;
const replaysWithinMs = 10_000;
const promotesWithinMs = 60_000;
/** One that does not answer at once is better undone than waited for. */
const attempts = 3;

export async function changePlaces(run: Run, pair: Pair): Promise<Moved> {
  const closed = await run.change('Close the front door', closeTheDoor(run, pair));
  const left = await run.change('Stop the primary', stopThePrimary(run, pair));
  await run.change('Let the old primary start as a standby only', standbyOnly(run, pair, left));
  const { timeline } = await run.change('Promote the standby', promote(run, pair, left));
  const opened = await run.change('Open the front door to the new primary', openTheDoor(run, { ...pair, timeline }));
  if (run.mode !== 'dry-run') measureClosed(run, closed.at, opened.at);
  return { left, timeline };
}

function closeTheDoor(run: Run, pair: Pair): Change<{ at: string }> {
  const { traffic } = doorOf(run.plan, pair.from.host);
  return {
    urgent: true,
    preview: async () => ({
      will: `take every server of ${traffic.backend} out, and end the sessions of ${pair.from.host}: from then on nobody can write`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: () => {
      run.doorCloses({
        why: `it was closed to change ${pair.from.host} and ${pair.to.host}, and is not open to either.`,
        byHand: `Make sure that one of them alone is the primary, then open it to that one: ${openByHand(traffic)}`,
      });
      return closeDoors(run, run.controlWithin(attempts), [pair.from, pair.to]);
    },
    undo: () => reopen(run, pair),
    opensDoor: true,
  };
}

/** As it was: to the old primary, with the standby left to the load balancer's own check. */
async function reopen(run: Run, { from, to, timeline, systemIdentifier, checked }: Pair): Promise<unknown> {
  const { traffic, database } = doorOf(run.plan, from.host);
  const where = { database, addresses: addresses(run.plan), timeline, systemIdentifier };
  const opened = await run.control.openDoor({ traffic, ...where, to: from.host });
  run.doorOpens();
  if (checked) await run.control.releaseServer({ traffic: doorOf(run.plan, to.host).traffic, server: to.host });
  return opened;
}

function stopThePrimary(run: Run, { from, timeline, systemIdentifier }: Pair): Change<StoppedAt> {
  return {
    urgent: true,
    preview: async () => ({
      will: `stop the server on ${from.host} (fast: it ends its sessions, writes a checkpoint, archives and sends what it has)`,
      yields: { lsn: '0/0', timeline, systemIdentifier },
    }),
    apply: () =>
      run.host(from.host, attempts).stopPrimary({ member: from, timeline, systemIdentifier, withinMs: stopsWithinMs }),
    undo: () => run.host(from.host).startPrimary({ member: from, timeline, withinMs: startsWithinMs }),
  };
}

/**
 * The two conditions of a promotion, side by side: the old primary stands still, and for good; the standby holds all of it. Before the
 * promotion, not after it: whoever starts the old primary by hand must never start a second primary.
 */
function standbyOnly(run: Run, { from, to }: Pair, left: StoppedAt): Change<unknown> {
  return {
    urgent: true,
    preview: async () => ({
      will: `write standby.signal on ${from.host}: whoever starts it, starts a standby; and wait until ${to.host} holds its last record`,
      yields: undefined,
    }),
    apply: async () => {
      const [sealed, caught] = await both(
        run.host(from.host, attempts).standbyOnly({ member: from, left }),
        run
          .host(to.host, attempts)
          .caughtUp({ member: to, lsn: left.lsn, withinMs: replaysWithinMs, orAfter: left.timeline }),
      );
      return { found: `${sealed.found}; ${caught.found}`, expected: sealed.expected };
    },
    undo: () => run.host(from.host).primaryAgain({ member: from, withinMs: stopsWithinMs }),
  };
}

function promote(run: Run, { from, to }: Pair, left: StoppedAt): Change<{ timeline: number }> {
  let tried = false;
  return {
    urgent: true,
    preview: async () => {
      // People may have taken hours to decide that it is tried again.
      if (tried) await run.host(from.host, attempts).standsStill({ member: from, left });
      tried = run.mode !== 'dry-run';
      return {
        will: `promote ${to.host}, which holds the last record of ${from.host}`,
        yields: { timeline: left.timeline + 1 },
      };
    },
    apply: () => run.host(to.host).promoteStandby({ member: to, from: left, withinMs: promotesWithinMs }),
    undo: {
      pointOfNoReturn: `${to.host} writes on a timeline of its own from now on: the way back is another switchover.`,
      seals: true,
    },
  };
}
