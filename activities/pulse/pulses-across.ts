import type { FrontDoor, PulseSettings } from '../../plan/schema.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import type { ControlReads } from '../contract.ts';
import { pause } from '../heartbeat.ts';
import { withDatabase } from '../postgres/front-door.ts';
import type { Found } from '../shapes.ts';
import { entriesOf, filesOf, silent } from './compare-pulses.ts';
import { type Acknowledged, isAcknowledged } from './log.ts';

/** What was acknowledged in this time before the switch must be there after it. Milliseconds. */
const lookedBackMs = 15 * 60_000;
/** More than that time has: one a second is tried. */
const mostLookedBack = 2_000;

interface Seen {
  /** On earlier timelines, oldest first. */
  before: Acknowledged[];
  /** The first one on the new timeline. */
  after?: Acknowledged;
}

/** @throws PulseSilent there is no log, or nothing in it from before the switch */
export async function pulsesAcross(
  ask: Parameters<ControlReads['pulsesAcross']>[0],
): Promise<Found & { acknowledged: number; missing: number; gapMs?: number; lostMs?: number }> {
  const { pulse, service, frontDoor, timeline, upTo } = ask;
  const { before, after } = await seenAcross(ask);
  const last = before.at(-1);
  if (last === undefined) throw silent(pulse, `holds no pulse of ${service} from before timeline ${timeline}`);
  const there = await numbersThere(frontDoor, before[0]?.number ?? last.number, last.number);
  const expected = before.filter((one) => mustBeThere(one, last, upTo));
  const missing = expected.filter(({ number }) => !there.has(number)).length;
  const gapMs = after === undefined ? undefined : Math.max(0, Date.parse(after.at) - Date.parse(last.at));
  const gap =
    gapMs === undefined
      ? 'none has been acknowledged since the switch'
      : `${gapMs} ms lie between the last acknowledged before and the first after the switch`;
  return {
    acknowledged: expected.length,
    missing,
    ...(missing === 0 ? {} : { lostMs: spanOfLost(expected, there) }),
    ...(gapMs === undefined ? {} : { gapMs }),
    found: `${expected.length - missing} of ${expected.length} pulse writes that were acknowledged in the minutes before${upTo === undefined ? '' : `, up to ${upTo},`} are there; ${gap} (one a second is tried)`,
    expected: 'all of them, and writes that go on',
  };
}

/** From the newest one that is there to the newest that was acknowledged, milliseconds by the database's clock. */
function spanOfLost(expected: readonly Acknowledged[], there: ReadonlySet<number>): number {
  const kept = expected.findLast(({ number }) => there.has(number)) ?? expected[0];
  return Math.max(0, Date.parse(expected.at(-1)?.at ?? '') - Date.parse(kept?.at ?? ''));
}

/**
 * On the line that the new timeline was forked from: what an earlier recovery has given up lies on a timeline before it. Where this
 * one's target was chosen, what lies after it is given up too, and counted elsewhere.
 */
function mustBeThere({ timeline, lsn }: Acknowledged, last: Acknowledged, upTo: string | undefined): boolean {
  if (timeline !== last.timeline) return false;
  return upTo === undefined || (lsn !== undefined && compareLsn(lsn, upTo) <= 0);
}

async function seenAcross(ask: {
  pulse: PulseSettings;
  service: string;
  timeline: number;
  withinMs: number;
}): Promise<Seen> {
  const deadline = performance.now() + ask.withinMs;
  for (;;) {
    const seen = await readLog(ask);
    if (seen.after !== undefined || performance.now() > deadline) return seen;
    await pause(200);
  }
}

/** Each pulse notes the timeline that it was written on. Its own times alone count: this worker's clock may be any. */
async function readLog({
  pulse,
  service,
  timeline,
}: {
  pulse: PulseSettings;
  service: string;
  timeline: number;
}): Promise<Seen> {
  // Over midnight, the time that is looked back to lies in the file before.
  const files = (await filesOf(pulse, service)).slice(-2);
  let before: Acknowledged[] = [];
  let after: Acknowledged | undefined;
  for await (const entry of entriesOf(files)) {
    if ('forgotten' in entry || !isAcknowledged(entry)) continue;
    if (entry.timeline !== undefined && entry.timeline >= timeline) {
      after = entry;
      break;
    }
    before.push(entry);
    if (before.length > 2 * mostLookedBack) before = before.slice(-mostLookedBack);
  }
  const since = Date.parse(before.at(-1)?.at ?? '') - lookedBackMs;
  return {
    before: before.filter(({ at }) => Date.parse(at) >= since),
    ...(after === undefined ? {} : { after }),
  };
}

async function numbersThere(door: FrontDoor, first: number, last: number): Promise<Set<number>> {
  const rows = await withDatabase(door, 'pulses-across', async (client) => {
    const text = 'select number::text as number from lifeboat.pulse where number between $1 and $2';
    return (await client.query<{ number: string }>(text, [first, last])).rows;
  });
  return new Set(rows.map(({ number }) => Number(number)));
}
