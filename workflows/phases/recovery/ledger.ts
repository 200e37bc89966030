/**
 * What the old database holds that the recovered one does not: told once the service is back, so that nobody waits for it. The old
 * directory is only copied, never started.
 */
import type { StoppedAt } from '../../../activities/contract.ts';
import type { Scratch } from '../../../activities/shapes.ts';
import type { SetAside } from '../../../evidence/evidence.ts';
import { formatBytes, formatNumberOf } from '../../../evidence/format.ts';
import { type Ledger, ledgerSentence } from '../../../evidence/ledger.ts';
import type { Member } from '../../../plan/schema.ts';
import { backupsOn } from '../../../plan/sites.ts';
import type { Lsn } from '../../../recovery/archive.ts';
import { newestNumber, segmentsNeeded } from '../../../recovery/continuity.ts';
import { heldWithin } from '../../../recovery/needed.ts';
import { segmentNumberAt } from '../../../recovery/segments.ts';
import { pathTo } from '../../../recovery/timelines.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';

/** What has become of the service. */
export interface Lost {
  /** The primary, recovered in place, or an old primary that is a standby now; its old data directory is among the evidence's `setAside`. */
  member: Member;
  setAside: string;
  /** A directory of its own, on the file system of the data directory: there a copy may cost nothing. */
  scratch: Scratch;
  /** On which the recovered primary writes. */
  timeline: number;
  /** Where the recovered database's past ends, after the last record that was replayed: what comes later is lost. */
  endsAt: Lsn;
  /** On which the old primary wrote. */
  oldTimeline: number;
  serverVersion: number;
  segmentBytes: number;
  /** Counted in its own WAL, where the archive does not have all of it: what a server that has died never archived. */
  ownTransactions?: number;
}

const copyStep = 'Copy the directory that was set aside';

/** Writes the ledger into the evidence. Nothing of it can make the recovery undone: what fails here may be skipped. */
export async function writeLedger(run: Run, lost: Lost): Promise<void> {
  const { member, scratch } = lost;
  const { keepFree } = run.plan.drills.monthly;
  const dry = run.mode === 'dry-run';
  const skip = { yields: undefined };
  const old = await run.prove('What was set aside lies there as it was left', () => lookAt(run, lost), skip);
  if (old === undefined && !dry) return;
  const left = old?.left ?? { lsn: lost.endsAt, timeline: lost.oldTimeline, systemIdentifier: '' };
  const ask: Ask = { member, directory: lost.setAside, left, scratch };
  const room = await run.prove(
    'There is room for a copy of it',
    () => run.host(member.host).roomForCopy({ ...ask, keepFree }),
    skip,
  );
  if (room === undefined && !dry) return;
  const told =
    dry || room?.fits ? await byCopy(run, lost, ask, { bytes: room?.bytes ?? 0, keepFree }) : await inWal(run, lost);
  if (told !== undefined) tell(run, told.ledger);
}

interface Room {
  bytes: number;
  keepFree: string;
}

async function byCopy(run: Run, lost: Lost, ask: Ask, room: Room): Promise<{ ledger: Ledger } | undefined> {
  const copied = await run.change(copyStep, copyOf(run, ask, room));
  const told =
    copied &&
    (await run.prove('What was lost is written down row by row', () => fromCopy(run, ask, { lost, room, ...copied }), {
      yields: undefined,
    }));
  // Also half of one, on a disk that is full.
  await run.change('Remove the copy', removalOf(run, lost.scratch));
  return copied === undefined ? inWal(run, lost) : told;
}

function inWal(run: Run, lost: Lost): Promise<{ ledger: Ledger } | undefined> {
  if (lost.ownTransactions !== undefined)
    return run.prove('What was lost is counted in the WAL', async () => byItsOwnWal(lost, lost.ownTransactions ?? 0), {
      yields: undefined,
    });
  return run.prove('What was lost is counted in the WAL', () => fromWal(run, lost), { yields: undefined });
}

/** Of all that were set aside it is noted which they are; the old primary's is the one to compare with. */
async function lookAt(run: Run, { member }: Lost) {
  const looked: SetAside[] = [];
  for (const one of run.evidence.setAside ?? []) {
    const of = run.plan.database.members.find(({ host }) => host === one.host);
    if (of === undefined) throw failure('Bug', `${one.directory} was set aside on ${one.host}, which is no member`);
    const { seen, found } = await run.host(one.host).lookAtSetAside({ member: of, directory: one.directory });
    if (seen === undefined) throw failure('Moved', `${found}; expected it to be kept until a person accepts.`);
    looked.push({ ...one, seen });
  }
  run.record({ setAside: looked });
  const own = looked.find(({ host }) => host === member.host);
  if (own?.seen === undefined) throw failure('Bug', `nothing was set aside on ${member.host}`);
  const { lsn, timeline, systemIdentifier } = own.seen;
  const left: StoppedAt = { lsn, timeline, systemIdentifier };
  const bytes = looked.reduce((sum, { seen }) => sum + (seen?.bytes ?? 0), 0);
  return {
    left,
    found: `${looked.map(({ host, directory }) => `${directory} on ${host}`).join(', ')}; ${formatBytes(bytes)} in all`,
    expected: 'every data directory as it was, until a person accepts the recovery (lifeboat accept)',
  };
}

interface Ask {
  member: Member;
  directory: string;
  left: StoppedAt;
  scratch: Scratch;
}

function copyOf(run: Run, ask: Ask, room: Room): Change<{ reflink: boolean } | undefined> {
  const host = run.host(ask.member.host);
  return {
    preview: async () => ({
      will: `copy ${ask.directory} on ${ask.member.host} into ${ask.scratch.directory}, and start a server there that only reads`,
      yields: { reflink: false },
    }),
    apply: () => host.copySetAside({ ...ask, room }),
    undo: () => host.removeScratch({ scratch: ask.scratch }),
    throwAway: true,
    passOver: { types: ['DiskFull'], yields: undefined },
    skip: { yields: undefined },
  };
}

async function fromCopy(run: Run, ask: Ask, { lost, room, reflink }: { lost: Lost; room: Room; reflink: boolean }) {
  const { plan, evidence } = run;
  const { member, directory, left, scratch } = ask;
  const compared = await run.host(member.host).ledgerOfLostWrites({
    ...{ scratch, room: { ...room, bytes: 0 }, setAside: { member, directory, left }, timeline: lost.timeline },
    ...{ database: plan.database.frontDoor.database, tables: plan.database.criticalTables },
    ...{ store: plan.evidence, service: plan.service, run: evidence.run, runId: evidence.runId },
    outageWithinMs: run.patienceMs(),
  });
  const { at, tables, notes, found, expected } = compared;
  const how = reflink ? 'a reflink, which shares its blocks' : 'byte by byte: its file system knows no reflink';
  const ledger: Ledger = { source: 'copy', host: member.host, directory, at, how, tables, notes };
  return { ledger, found, expected };
}

function byItsOwnWal({ member, setAside: directory }: Lost, transactions: number) {
  const ledger: Ledger = {
    ...{ source: 'WAL', host: member.host, directory, transactions, tables: [] },
    at: new Date(Date.now()).toISOString(),
    how: 'there was no room for a copy of it',
    notes: ['a bound, and no rows: counted in its own WAL, before it was set aside'],
  };
  return { ledger, found: `${formatNumberOf(transactions, 'transaction')} by its own WAL, no rows` };
}

async function fromWal(run: Run, lost: Lost) {
  const { member, endsAt, oldTimeline, serverVersion, segmentBytes, scratch, setAside: directory } = lost;
  const backups = backupsOn(run.plan, member.host);
  const host = run.host(member.host);
  const patience = { outageWithinMs: run.patienceMs() };
  const { found: _words, ...repository } = await host.repository({ backups, segmentBytes, ...patience });
  const path = pathTo(repository, oldTimeline);
  const from = segmentNumberAt(endsAt, segmentBytes);
  const to = newestNumber(repository, path) ?? from;
  const { transactions, counts, found, expected } = await host.lostInWal({
    ...{ backups, scratch, serverVersion, member, after: endsAt },
    segments: heldWithin(repository, segmentsNeeded(path, from, to, segmentBytes)),
    known: {
      segmentBytes,
      systemIdentifier: repository.systemIdentifier,
      timelines: repository.timelines.map((info) => ({ ...info, ranges: [] })),
    },
    database: run.plan.database.frontDoor.database,
    ...patience,
  });
  const at = new Date(Date.now()).toISOString();
  const how = 'there was no room for a copy of it';
  const notes = [
    'a bound, and no rows: what a transaction had done before the target, and a table that was dropped or rewritten, are not counted',
  ];
  const source = 'WAL' as const;
  const ledger: Ledger = { source, host: member.host, directory, at, how, tables: [], transactions, counts, notes };
  return { ledger, found, expected };
}

function removalOf(run: Run, scratch: Scratch): Change<unknown> {
  return {
    preview: async () => ({ will: `remove ${scratch.directory} on ${scratch.host}`, yields: undefined }),
    // Proves that nothing of it is left, too.
    apply: () => run.host(scratch.host).removeScratch({ scratch }),
    undo: { undoneWith: copyStep },
    skip: { yields: undefined },
  };
}

function tell(run: Run, ledger: Ledger): void {
  run.record({ ledger });
  if (ledger.source === 'WAL') {
    run.measure(
      'transactions lost',
      ledger.transactions ?? 0,
      'count',
      'committed after the target, by the archived WAL',
    );
    return;
  }
  const how = `${ledgerSentence(ledger)} ${formatNumberOf(ledger.tables.length, 'critical table')} compared`;
  const sum = (of: 'missing' | 'changed') => ledger.tables.reduce((total, table) => total + table[of], 0);
  run.measure('rows missing', sum('missing'), 'rows', how);
  run.measure('rows changed', sum('changed'), 'rows', how);
}
