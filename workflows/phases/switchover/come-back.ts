/** The old primary comes back as the standby, without hurry: the service writes again. */
import type { Following } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import { backupsOn } from '../../../plan/sites.ts';
import type { Anchor } from '../../../recovery/archive.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { leaveToCheck, pulsesAcross } from '../front-door.ts';
import { takeAnchorOn, takeIncrementalBackup } from '../new-primary.ts';
import { compareTables } from '../prove.ts';
import { askItsOwnStore } from '../region/store.ts';
import { following, type Moved, type Pair } from './pair.ts';
import { Split } from './split.ts';

const startsWithinMs = 120_000;
const comparesWithinMs = 300_000;

export async function comeBack(run: Run, pair: Pair, moved: Moved): Promise<void> {
  const old = following(run, pair, moved);
  const split = new Split(run, pair, moved);
  const archived = { member: pair.to, backups: backupsOn(run.plan, pair.to.host), timeline: moved.timeline };
  const reaches = () => run.host(pair.to.host).archiveReaches({ ...archived, outageWithinMs: run.patienceMs() });
  await run.change('Let the old primary follow the new one', followTheNewOne(run, old, split));
  await run.prove('No acknowledged pulse is lost', () =>
    pulsesAcross(run, {
      timeline: moved.timeline,
      missing: {
        where: 'on the new primary',
        advice: "Keep the old primary's data directory as it is, and compare.",
      },
      without: 'the plan has no pulse: neither loss nor gap is measured by it',
    }),
  );
  await run.prove('The archive holds the new timeline', reaches);
  const taken = await run.change('Take an anchor on the new primary', takeAnchorOn(run, pair.to));
  // Ends the segment: a replay stops at a position once it sees a record behind it.
  await run.prove('The new primary archives', reaches);
  await run.prove('The old primary equals the new one', () =>
    split.closesTheDoor(() => compare(run, old, taken?.anchor)),
  );
  await run.change('Start the old primary as a standby', start(run, old, split));
  await askItsOwnStore(run, pair.from, pair.to);
  if (pair.oldSlot !== undefined) await run.change('Drop the slot that nobody uses any more', dropOldSlot(run, pair));
  if (pair.checked)
    await run.change("Leave the old primary to the load balancer's check", leaveToCheck(run, pair.from.host));
  await run.prove('Every member has its new role', () => split.closesTheDoor(() => newRoles(run, pair, moved)));
  await run.change('Take a backup of the new primary', takeIncrementalBackup(run, pair.to, pair.lastBackupMs));
}

function followTheNewOne(run: Run, old: Following, split: Split): Change<unknown> {
  const { member, primary } = old;
  return {
    preview: async () => ({
      will: `write primary_conninfo (${primary.host}), the slot ${old.slot} and restore_command on ${member.host}`,
      yields: undefined,
    }),
    apply: () => split.closesTheDoor(() => run.host(member.host).makeFollower(old)),
    undo: { pointOfNoReturn: `${member.host} must not start as a primary again: ${primary.host} is it.` },
  };
}

async function compare(run: Run, old: Following, anchor: Anchor | undefined): Promise<Found> {
  if (anchor === undefined) return { found: 'not compared: there is no anchor to compare with' };
  const { tables } = await run.host(old.member.host).fingerprintsAt({
    ...old,
    lsn: anchor.lsn,
    database: run.plan.database.frontDoor.database,
    tables: anchor.tables.map(({ table }) => table),
    withinMs: comparesWithinMs,
  });
  return compareTables(
    run,
    anchor,
    tables,
    `${old.member.host} is no copy of ${old.primary.host}: rebuild it from a backup.`,
  );
}

function start(run: Run, old: Following, split: Split): Change<unknown> {
  const { member, primary, timeline } = old;
  return {
    preview: async () => ({
      will: `start ${member.host}; it streams from ${primary.host} on timeline ${timeline}`,
      yields: undefined,
    }),
    apply: () => split.closesTheDoor(() => run.host(member.host).startFollower({ ...old, withinMs: startsWithinMs })),
    undo: { pointOfNoReturn: `${member.host} stays the standby of ${primary.host}.` },
  };
}

function dropOldSlot(run: Run, { from, oldSlot = '' }: Pair): Change<unknown> {
  return {
    preview: async () => ({
      will: `drop slot ${oldSlot} on ${from.host}: nobody reads from it any more, and it would keep WAL for ever`,
      yields: undefined,
    }),
    apply: () => run.host(from.host).dropSlot({ member: from, slot: oldSlot }),
    undo: { pointOfNoReturn: 'A slot that nobody uses is not missed.' },
    skip: { yields: undefined },
  };
}

async function newRoles(run: Run, { from, to }: Pair, { timeline }: Moved) {
  const { members, found, expected } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const state = (host: string) => members.find((one) => one.host === host);
  if (
    state(to.host)?.role === 'primary' &&
    state(from.host)?.role === 'standby' &&
    state(to.host)?.timeline === timeline
  )
    return { found, expected };
  throw failure(
    'Moved',
    `${found}; expected ${to.host} as the primary on timeline ${timeline}, and ${from.host} as its standby.`,
  );
}
