/** A standby is back when it streams on the primary's timeline and holds what the primary holds: an old branch streams, too, with lag 0. */
import type { Following } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Anchor, Lsn } from '../../../recovery/archive.ts';
import type { Way } from '../../../recovery/rebuild.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { takeAnchorOn, writeCheckpoint } from '../new-primary.ts';
import { compareTables } from '../prove.ts';
import { askItsOwnStore } from '../region/store.ts';
import type { Who } from './assess.ts';
import { placeStep } from './bring-back.ts';
import type { Rebuild } from './choose.ts';
import { tellWhatWasLost } from './lost.ts';

/** At least so long for what it has to replay; more, while the phase's budget lasts. */
const leastMs = 300_000;

/** Compares it while nobody else reaches it, then starts it. A restored one was compared before it took its place. */
export async function proveAndStart(run: Run, rebuild: Rebuild): Promise<void> {
  const { who, follow, way } = rebuild;
  const reached = way === 'restore' ? rebuild.primaryAt : await compared(run, rebuild);
  // Where it was left before says nothing of what it has become.
  const now: Following = { ...follow, left: { ...follow.left, lsn: reached } };
  await run.change('Start the standby', start(run, now, way));
  await askItsOwnStore(run, who.standby, who.primary);
  await run.prove('Every member has its role', () => roles(run, who, follow.timeline));
  await tellWhatWasLost(run, rebuild);
}

/** @returns the position that it holds at least */
async function compared(run: Run, { who, follow, primaryAt }: Rebuild): Promise<Lsn> {
  const taken = await run.change('Take an anchor on the primary', takeAnchorOn(run, who.primary));
  // A replay stops at a position once it sees a record behind it.
  await run.change('Write a checkpoint on the primary', {
    ...writeCheckpoint(run, who.primary, ', a record behind the anchor'),
    skip: { yields: undefined },
  });
  await run.prove('The standby equals the primary', () => compare(run, follow, taken?.anchor));
  return taken?.anchor.lsn ?? primaryAt;
}

async function compare(run: Run, now: Following, anchor: Anchor | undefined): Promise<Found> {
  if (anchor === undefined) return { found: 'not compared: there is no anchor to compare with' };
  const { tables } = await run.host(now.member.host).fingerprintsAt({
    ...now,
    lsn: anchor.lsn,
    database: run.plan.database.frontDoor.database,
    tables: anchor.tables.map(({ table }) => table),
    withinMs: Math.max(leastMs, run.patienceMs()),
  });
  return compareTables(
    run,
    anchor,
    tables,
    `${now.member.host} is no copy of ${now.primary.host}, and is left stopped: bring it back by "way": "restore" or "basebackup".`,
  );
}

function start(run: Run, now: Following, way: Way): Change<unknown> {
  const { member, primary, timeline } = now;
  return {
    preview: async () => ({
      will: `start ${member.host}; it streams from ${primary.host} on timeline ${timeline}`,
      yields: undefined,
    }),
    apply: async () => {
      const began = Date.now();
      const started = await run
        .host(member.host)
        .startFollower({ ...now, withinMs: Math.max(leastMs, run.patienceMs()) });
      run.measure('start of the standby', Date.now() - began, 'ms', 'from its start until it streams');
      return started;
    },
    undo:
      way === 'restore' || way === 'basebackup'
        ? { undoneWith: placeStep }
        : { pointOfNoReturn: `${member.host} stays the standby of ${primary.host}.` },
  };
}

/** @throws SplitBrain @throws Moved */
export async function roles(run: Run, { standby, primary }: Who, timeline: number): Promise<Found> {
  const { members, found, expected } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const state = (host: string) => members.find((one) => one.host === host);
  const [back, source] = [state(standby.host), state(primary.host)];
  if (
    back?.role === 'standby' &&
    back.timeline === timeline &&
    source?.role === 'primary' &&
    source.timeline === timeline
  )
    return { found, ...(expected === undefined ? {} : { expected }) };
  throw failure(
    'Moved',
    `${found}; expected ${primary.host} as the primary and ${standby.host} as its standby, both on timeline ${timeline}.`,
  );
}
