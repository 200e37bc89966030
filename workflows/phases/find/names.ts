/** Names of relations: the service's own catalog knows most of them; of what is dropped or was replaced since, only a restore does. */
import { isCancellation } from '@temporalio/workflow';
import type { Found, Relations, RelationsAsk, WalSearched } from '../../../activities/shapes.ts';
import type { FailureType } from '../../../evidence/failures.ts';
import { formatNumberOf } from '../../../evidence/format.ts';
import type { BackupInfo, RecoveryTarget } from '../../../recovery/archive.ts';
import { chooseBackup } from '../../../recovery/choice.ts';
import { gaps, segmentCount } from '../../../recovery/continuity.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { effectsOf, type Names, type Wanted } from '../../../recovery/search/naming.ts';
import type { Suspect } from '../../../recovery/search/suspects.ts';
import { pathTo, timelineAt } from '../../../recovery/timelines.ts';
import type { FindInput } from '../../messages.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { roomForRestore } from '../assess.ts';
import { type Restorable, restoreBeside, restoreStep } from '../restore-beside.ts';
import type { Around } from './window.ts';

/** What is known of the table that was asked for, and what must be said of the names. */
export interface Named {
  table: string | undefined;
  notes: string[];
}

function asked(run: Run<FindInput>, suspects: readonly Suspect[]): RelationsAsk {
  const { table } = run.input;
  return {
    files: [
      ...new Set(
        suspects.flatMap(({ rows, created, dropped }) => [
          ...rows.map(({ file }) => file),
          ...created.map(({ file }) => file),
          ...dropped,
        ]),
      ),
    ],
    oids: [...new Set(suspects.flatMap(({ touched, truncated }) => [...touched, ...truncated]))],
    databases: [...new Set(suspects.flatMap(({ droppedDatabases }) => droppedDatabases))],
    ...(table === undefined ? {} : { table }),
  };
}

/** Cheap, and enough for most: a table that is still there, with the file that it had then. */
export async function fromLiveCatalog(
  run: Run<FindInput>,
  { service }: Around,
  { suspects }: WalSearched,
  names: Names,
): Promise<Named> {
  if (service === undefined)
    return { table: undefined, notes: ['the service does not answer, so its catalog named nothing'] };
  const { live } = await run.check("The service's own catalog names relations", () => askLive(run, suspects));
  if (live === undefined) return { table: undefined, notes: ['the catalog of the service could not be asked'] };
  names.fromLive(live, live.database);
  return { table: live.table, notes: [] };
}

async function askLive(run: Run<FindInput>, suspects: Suspect[]): Promise<Found & { live?: Relations }> {
  try {
    const live = await run
      .controlWithin(2)
      .liveRelations({ frontDoor: run.plan.database.frontDoor, ...asked(run, suspects) });
    return { live, found: live.found };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { found: `it could not be asked: ${failureOf(error).message}` };
  }
}

/** Each moves the server: a second or two, and what lies in between is replayed. */
const mostLooks = 40;

/** None of these makes what the WAL says less true: it is told by numbers then, and why. */
const withoutNames: readonly FailureType[] = [
  'DiskFull',
  'BackupMissing',
  'BackupCorrupt',
  'ArchiveGap',
  'RestoreFailed',
  'ReplayFailed',
  'VersionMismatch',
  'TablespaceUnsafe',
  'LockHeld',
];

/**
 * A throw-away server, restored to just before the first transaction whose tables nobody knows, and moved on from one to the next.
 * Nothing is restored when the live catalog knew everything.
 */
export async function fromRestoredCatalog(
  run: Run<FindInput>,
  around: Around,
  { suspects }: WalSearched,
  names: Names,
  known: Named,
): Promise<Named> {
  const open = inOrder(suspects.filter((suspect) => effectsOf(suspect, names).wanted !== undefined));
  const { table: wanted, names: wish } = run.input;
  const unknownTable = wanted !== undefined && known.table === undefined;
  const first = open[0] ?? (unknownTable ? inOrder(suspects)[0] : undefined);
  if (first === undefined) {
    if (unknownTable && wish !== false && around.service !== undefined) throw noTable(run, wanted, 'the service has');
    return known;
  }
  if (wish === false) {
    if (unknownTable)
      throw noTable(run, wanted, 'without a restore (names: false) only the live catalog is asked, which has');
    return noted(
      known,
      `${formatNumberOf(open.length, 'transaction')} told by numbers of files: no restore was wanted`,
    );
  }
  // What was emptied is told as large as it was: the restored catalog of that moment knows.
  const all = inOrder(suspects.filter((suspect) => open.includes(suspect) || suspect.dropped.length > 0));
  const learned = await learn(run, around, { open, first: all[0] ?? first, names, files: asked(run, [...all, first]) });
  if (learned.why !== undefined)
    return noted(known, `names that the live catalog does not know are missing: ${learned.why}`);
  if (unknownTable && learned.table === undefined && run.mode === 'live')
    throw noTable(run, wanted, 'neither the service nor the restored database has');
  return { table: known.table ?? learned.table, notes: [...known.notes, ...learned.notes] };
}

function noted({ table, notes }: Named, note: string): Named {
  return { table, notes: [...notes, note] };
}

function noTable(run: Run<FindInput>, table: string, who: string): Error {
  return failure(
    'InputInvalid',
    `${who} no table ${table}. Give the name of one, with its schema (public.orders); ${run.plan.service} has its own database ${run.plan.database.frontDoor.database} in mind.`,
  );
}

function inOrder(suspects: readonly Suspect[]): Suspect[] {
  return [...suspects].sort((a, b) => compareLsn(a.before, b.before));
}

interface ToLearn {
  open: Suspect[];
  /** Where the restored server stands first. */
  first: Suspect;
  files: RelationsAsk;
  names: Names;
}

interface Learned extends Named {
  why?: string;
}

async function learn(run: Run<FindInput>, around: Around, { open, first, names, files }: ToLearn): Promise<Learned> {
  const nothing = (why: string): Learned => ({ table: undefined, notes: [], why });
  try {
    await run.hold(around.scratch.host);
    const restorable = await prepared(run, around, [first, ...open]);
    await run.change(restoreStep, restoreBeside(run, restorable));
    if (run.mode === 'dry-run') return nothing('a dry run restores nothing');
    return await run.change('The restored catalog names relations', {
      preview: async () => ({
        will: 'move the throw-away server from one of these transactions to the next, and ask its catalog',
        yields: nothing('a dry run restores nothing'),
      }),
      apply: () => looks(run, around, restorable, { open, first, names, files }),
      undo: { undoneWith: restoreStep },
      throwAway: true,
    });
  } catch (error) {
    const { type, message } = failureOf(error);
    if (isCancellation(error) || !withoutNames.some((one) => one === type)) throw error;
    return nothing(`${type}: ${message}`);
  }
}

async function prepared(run: Run, around: Around, suspects: Suspect[]): Promise<Restorable> {
  const { scratch, repository } = around;
  const ordered = inOrder(suspects);
  const target = justBefore(around, ordered[0]);
  const { backup } = await run.check('A backup ends before them', async () => {
    const { backup, passedOver } = chooseBackup(repository, target);
    if (backup === undefined)
      throw failure(
        'BackupMissing',
        `no backup ends before ${target.lsn}${passedOver.map(({ label, why }) => `; ${label}: ${why}`).join('')}. Nothing from that time can be recovered either.`,
      );
    const missing = gaps(repository, backup, justBefore(around, ordered.at(-1)));
    if (missing.length > 0)
      throw failure(
        'ArchiveGap',
        `between backup ${backup.label} and the transactions ${missing.length} segments are not in the archive: ${missing.slice(0, 5).join(', ')}. Search a shorter time, or take what the numbers say.`,
      );
    return {
      backup,
      found: `backup ${backup.label}, ended ${backup.stoppedAt}`,
      expected: 'a backup, and all WAL after it',
    };
  });
  return { scratch, backup, room: await roomFor(run, around, backup, ordered.at(-1)), throwAway: true };
}

function roomFor(run: Run, around: Around, backup: BackupInfo, last: Suspect | undefined) {
  const { repository, scratch } = around;
  const segments = segmentCount(repository, backup, justBefore(around, last));
  return roomForRestore(run, scratch, backup, segments * repository.segmentBytes);
}

function justBefore({ repository, timeline }: Around, suspect: Suspect | undefined, inclusive = false) {
  const lsn = suspect?.before ?? '0/0';
  const on = timelineAt(pathTo(repository, timeline), lsn) ?? timeline;
  return { kind: 'lsn', lsn, inclusive, timeline: on } as const satisfies RecoveryTarget;
}

async function looks(
  run: Run<FindInput>,
  around: Around,
  { room }: Restorable,
  { open, first, names, files }: ToLearn,
): Promise<Learned & Found> {
  const { scratch } = around;
  let count = 0;
  let table: string | undefined;
  const look = async (suspect: Suspect, inclusive: boolean): Promise<Relations> => {
    count += 1;
    const told = await run.host(scratch.host).relationsAt({
      backups: run.plan.backups.physical,
      scratch,
      target: justBefore(around, suspect, inclusive),
      outageWithinMs: run.patienceMs(),
      room,
      database: run.plan.database.frontDoor.database,
      ...files,
    });
    table ??= told.table;
    if (inclusive) names.fromJustAfter(told, suspect.transaction);
    names.fromRestore(told);
    return told;
  };
  await look(first, false);
  for (const suspect of inOrder(open)) {
    const wanted = (): Wanted => effectsOf(suspect, names).wanted;
    if (count < mostLooks && wanted() === 'before' && suspect !== first) await look(suspect, false);
    if (count < mostLooks && wanted() === 'after') await look(suspect, true);
  }
  const left = open.filter((suspect) => effectsOf(suspect, names).wanted !== undefined).length;
  const notes =
    left === 0
      ? []
      : [`${formatNumberOf(left, 'transaction')} told by numbers of files: no catalog that was asked knew them`];
  return {
    table,
    notes,
    found: `${formatNumberOf(count, 'look')} at the catalog of the restored server, as it was then`,
  };
}
