/** The front door is opened to a new primary: for how long it was closed, what was acknowledged, and that it guards itself again. */

import type { Found } from '../../activities/shapes.ts';
import { addresses } from '../../plan/hosts.ts';
import type { Member } from '../../plan/schema.ts';
import { type Door, doorOf, doorsOf } from '../../plan/sites.ts';
import type { Lsn } from '../../recovery/archive.ts';
import type { Change } from '../runbook/change.ts';
import { failure, failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** The pulse tries one write a second, and connects anew before. */
const pulseWithinMs = 30_000;

/**
 * The front doors that lead to these members: none of them takes sessions from then on.
 *
 * @param control with as many attempts as there is time for
 * @param mayBeGone a host that is lost, and perhaps the load balancer of its site with it
 */
export async function closeDoors(
  run: Run,
  control: Run['control'],
  to: Member[],
  { mayBeGone }: { mayBeGone?: string } = {},
): Promise<Found & { at: string }> {
  const [first, ...more] = doorsOf({ ...run.plan, database: { ...run.plan.database, members: to } });
  if (first === undefined) throw failure('Bug', 'a front door was to be closed that leads to nobody');
  const close = ({ traffic, database }: Door) => control.closeDoor({ traffic, frontDoor: database.frontDoor });
  const ends = [];
  // One after the other, the first soonest; each is tried, whatever becomes of the others: one that is open lets everybody in.
  for (const closing of [
    () => close(first),
    ...more.map((door) => () => (mayBeGone === undefined ? close(door) : closeUnlessGone(run, door, mayBeGone))),
  ])
    ends.push(...(await Promise.allSettled([closing()])));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const closed = ends.flatMap((end): (Found & { at?: string })[] => (end.status === 'fulfilled' ? [end.value] : []));
  const at = closed[0]?.at ?? new Date(Date.now()).toISOString();
  return { ...closed[0], at, found: closed.map(({ found }) => found).join('; ') };
}

/** One that still tells how it stands is not lost: then it has to be closed. */
async function closeUnlessGone(run: Run, { traffic, database }: Door, lost: string): Promise<Found> {
  const control = run.controlWithin(1);
  try {
    return await control.closeDoor({ traffic, frontDoor: database.frontDoor });
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type !== 'TrafficUnreachable') throw error;
    const answers = await control.doorState({ traffic }).then(
      () => true,
      () => false,
    );
    if (answers) throw error;
    return { found: `the load balancer before ${lost} is lost with it: ${message}` };
  }
}

interface Across {
  /** Of the primary that writes now. */
  timeline: number;
  /** Pulses that were written after it are not expected; absent: every one is. */
  upTo?: Lsn;
  /** What an acknowledged pulse that is missing means, and what is to be done about it. */
  missing: { where: string; advice: string };
  /** What is told when nothing writes pulses. */
  without: string;
}

/** @returns undefined where nothing writes pulses */
export async function askPulses(run: Run, { timeline, upTo }: Pick<Across, 'timeline' | 'upTo'>) {
  const { pulse, service, database } = run.plan;
  if (pulse === undefined) return undefined;
  const across = await run.control.pulsesAcross({
    ...{ pulse, service, timeline, withinMs: pulseWithinMs, frontDoor: database.frontDoor },
    ...(upTo !== undefined && { upTo }),
  });
  if (across.gapMs !== undefined)
    run.measure('writes stopped', across.gapMs, 'ms', 'by the pulse, which tries one write a second');
  return across;
}

/** @throws PulsesMissing one that was acknowledged is gone */
export async function pulsesAcross(run: Run, { missing, without, ...ask }: Across) {
  const across = await askPulses(run, ask);
  if (across === undefined) return { found: without };
  if (across.missing > 0)
    throw failure(
      'PulsesMissing',
      `${across.found}: ${across.missing} acknowledged pulse writes are missing ${missing.where}, expected none. ${missing.advice}`,
    );
  return across;
}

export const doorWasClosed = 'front door closed';

export function measureClosed(run: Run, closedAt: string, openedAt: string): void {
  run.measure(
    doorWasClosed,
    Math.max(0, Date.parse(openedAt) - Date.parse(closedAt)),
    'ms',
    'from when the load balancer took no sessions until a write through it was acknowledged, by the clock of the control worker',
  );
}

/** Proven by a write through it. What was closed for the change is open again, or stays closed when there are two primaries. */
export function openTheDoor(
  run: Run,
  { to, systemIdentifier, timeline }: { to: Member; systemIdentifier: string; timeline: number },
): Change<{ at: string }> {
  const { traffic, database } = doorOf(run.plan, to.host);
  return {
    urgent: true,
    preview: async () => ({
      will: `lead ${traffic.backend} to ${to.host} alone, and write through it`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: async () => {
      const opened = await run.control.openDoor({
        ...{ traffic, database, addresses: addresses(run.plan) },
        ...{ to: to.host, timeline, systemIdentifier },
      });
      run.doorOpens();
      return opened;
    },
    undo: {
      pointOfNoReturn: () =>
        run.evidence.doorClosed === undefined
          ? `The front door stays open to ${to.host}, which was the only primary when it was opened.`
          : 'The front door was opened, and is closed again.',
    },
  };
}

/** A server that was kept out of the load balancer by hand, by Lifeboat's hand. */
export function leaveToCheck(run: Run, server: string): Change<unknown> {
  return {
    preview: async () => ({
      will: `leave ${server} to the load balancer's own check, which keeps a standby out`,
      yields: undefined,
    }),
    apply: () => run.control.releaseServer({ traffic: doorOf(run.plan, server).traffic, server }),
    undo: { pointOfNoReturn: "The load balancer's own check decides again." },
  };
}
