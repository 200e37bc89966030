/** The restored servers beside the live ones: every member goes to the very same record, side by side, and is proven there. */
import type { EndOfRecovery, Room } from '../../../activities/shapes.ts';
import { formatNumberOf } from '../../../evidence/format.ts';
import type { RecoveryTarget, TableFingerprint } from '../../../recovery/archive.ts';
import { failure } from '../../runbook/failure.ts';
import { roomForRestore } from '../assess.ts';
import { allPulses, assertions, endedAtTarget, equalsAnchor } from '../prove.ts';
import { anchorTarget, type Beside, replayTo, restoreBeside } from '../restore-beside.ts';
import { again } from './again.ts';
import {
  allOf,
  besideOf,
  membersOf,
  numbered,
  placeOf,
  type RecoveryRun,
  type Restoring,
  restoreStepOn,
  type Way,
} from './recovering.ts';

/** By the name of the host. */
export type Rooms = Record<string, Room>;

/** Where the restored servers stand, all of them. */
export interface Reached {
  way: Way;
  /** Of the primary; absent in a dry run. */
  end: EndOfRecovery | undefined;
  tables: TableFingerprint[];
  /** How often the target was moved, and one more. */
  round: number;
}

export async function roomOnEach(run: RecoveryRun, recovering: Restoring, way: Way, round: number): Promise<Rooms> {
  const bytes = way.segments * recovering.repository.segmentBytes;
  const rooms = await run.together(
    ...membersOf(recovering).map((member) => async (): Promise<[string, Room]> => {
      const name = numbered(`There is room on ${member.host}`, round);
      return [member.host, await roomForRestore(run, placeOf(run, member).scratch, way.backup, bytes, name)];
    }),
  );
  return Object.fromEntries(rooms);
}

/** Restores every member, and leaves all of them paused at the target. @param round 1 for the first time, more after a move back */
export async function restoreAll(
  run: RecoveryRun,
  recovering: Restoring,
  way: Way,
  rooms: Rooms,
  round: number,
): Promise<Reached> {
  const { primary } = recovering;
  await run.together(
    ...besidesOf(run, recovering, way, rooms).map((beside) => async () => {
      const { host } = beside.scratch;
      if (round === 1) await run.change(restoreStepOn(host), restoreBeside(run, beside));
      else await run.change(`Restore once more on ${host} (${round})`, again(run, beside));
      const { anchor } = way;
      if (host === primary.host && anchor !== undefined) {
        const where = `the anchor at ${anchor.lsn}`;
        const step = numbered(`Replay to the anchor on ${host}`, round);
        await run.change(step, replayTo(run, beside, anchorTarget(anchor), where));
        await equalsAnchor(run, beside, anchor, numbered('The critical tables equal their anchor', round));
      }
      await run.change(
        numbered(`Replay to the target on ${host}`, round),
        replayTo(run, beside, way.located.target, 'the target'),
      );
    }),
  );
  return proven(run, recovering, way, rooms, round);
}

/** Moves every member on to a later target: nothing is restored anew. */
export async function moveAll(
  run: RecoveryRun,
  recovering: Restoring,
  way: Way,
  rooms: Rooms,
  round: number,
): Promise<Reached> {
  await run.together(
    ...besidesOf(run, recovering, way, rooms).map(
      (beside) => () =>
        run.change(
          `Move on to the target on ${beside.scratch.host} (${round})`,
          replayTo(run, beside, way.located.target, 'the target'),
        ),
    ),
  );
  return proven(run, recovering, way, rooms, round);
}

export function besidesOf(run: RecoveryRun, recovering: Restoring, way: Way, rooms: Rooms): Beside[] {
  return membersOf(recovering).map((member) => {
    const room = rooms[member.host];
    if (room === undefined) throw failure('Bug', `no room was looked for on ${member.host}`);
    return besideOf(run, recovering, way, member, room);
  });
}

/** Paused at the target: nothing but reading is possible there, and nothing else is needed. */
async function proven(
  run: RecoveryRun,
  recovering: Restoring,
  way: Way,
  rooms: Rooms,
  round: number,
): Promise<Reached> {
  const { target } = way.located;
  const besides = besidesOf(run, recovering, way, rooms);
  const [beside] = besides;
  if (beside === undefined) throw failure('Bug', 'nothing was restored');
  const ends: (EndOfRecovery | undefined)[] = await run.together(
    ...besides.map((one) => () => {
      const name = numbered(`Recovery ended where it should on ${one.scratch.host}`, round);
      return endedAtTarget(run, one, target, name);
    }),
  );
  const [end] = ends;
  const { scratch, database } = beside;
  const [same] = await run.together(
    () =>
      run.prove(numbered('All members hold the same rows at the target', round), () =>
        sameRows(run, besides, target, ends),
      ),
    () => assertions(run, beside, numbered('The assertions of the plan hold at the target', round)),
    () =>
      run.prove(numbered('Indexes agree with their tables', round), () =>
        run.host(scratch.host).checkIndexes({ scratch, database, asItIs: true }),
      ),
    () => allPulses(run, beside, end, numbered('All acknowledged pulses up to the target are there', round)),
  );
  return { way, end, tables: same?.tables ?? [], round };
}

/** Restored from one backup, moved to one record: a member that differs has been given other WAL, or other files. */
async function sameRows(
  run: RecoveryRun,
  besides: Beside[],
  target: RecoveryTarget & { kind: 'lsn' },
  ends: (EndOfRecovery | undefined)[],
) {
  const apart = ends.filter((end) => end?.lsn !== ends[0]?.lsn);
  if (apart.length > 0)
    throw failure(
      'ReplayFailed',
      `the restored servers stand at ${ends.map((end) => end?.lsn ?? 'nowhere').join(' and ')}, expected all of them at the same record. See their logs.`,
    );
  const { criticalTables: tables } = run.plan.database;
  const [first, ...others] = await allOf(
    besides.map(async ({ scratch, database }) => ({
      host: scratch.host,
      tables: (await run.host(scratch.host).fingerprints({ scratch, database, tables })).tables,
    })),
  );
  if (first === undefined) throw failure('Bug', 'nothing was restored');
  for (const other of others) {
    const different = first.tables.filter(
      ({ table, rows, fingerprint }) =>
        !other.tables.some((one) => one.table === table && one.rows === rows && one.fingerprint === fingerprint),
    );
    if (different.length > 0)
      throw failure(
        'NotEqual',
        `${different.map(({ table }) => table).join(', ')} on ${other.host} differs from ${first.host} at ${target.lsn}, though both were restored from one backup and moved to one record. Do not go on: find out which of them is right.`,
      );
  }
  const words = first.tables.map(({ table, rows }) => `${table} has ${formatNumberOf(rows, 'row')}`);
  return {
    tables: first.tables,
    found: `${words.join(', ')}${others.length === 0 ? '' : `, with one content on ${others.length + 1} members`}`,
    expected: 'the same content on every member',
  };
}
