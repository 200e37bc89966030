/** The ledger of lost writes: what the old database holds that the recovered one does not, table by table. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, DatabaseError } from 'pg';
import { type LedgerTable, tableSentence } from '../../evidence/ledger.ts';
import { OutOfOrder } from '../../recovery/ledger/merge.ts';
import { standingQuestion } from '../cluster/asked.ts';
import type { LedgerHostChanges } from '../contract-of-ledger.ts';
import { noRoom } from '../disk.ts';
import { safeName } from '../evidence/layout.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { permittedPlaces } from '../postgres/scratch.ts';
import { all, one, placeOfScratch, type SocketPlace, withSession } from '../postgres/session.ts';
import { compareTable, type Progress, type Sessions } from './compare-table.ts';
import { startCopy } from './copy.ts';
import { keep } from './keep.ts';
import { beginReading } from './rows.ts';
import { permitSetAside } from './set-aside.ts';

type Ask = Parameters<LedgerHostChanges['ledgerOfLostWrites']>[0];
type Answer = Awaited<ReturnType<LedgerHostChanges['ledgerOfLostWrites']>>;

export async function ledgerOfLostWrites(ask: Ask): Promise<Answer> {
  const permitted = await permittedPlaces(ask.scratch);
  await permitSetAside(ask.setAside);
  await startCopy(permitted);
  const old = placeOfScratch(permitted.places);
  const { place: recovered } = await socketOf(ask.setAside.member);
  const folder = join(permitted.places.directory, 'ledger');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const progress: Progress = { table: '', rows: 0 };
  const knows = await hasDatabase(old, ask.database);
  const within = (sessions: Sessions) => compare(ask, sessions, folder, progress);
  const session = <T>(place: SocketPlace, body: (client: Client) => Promise<T>) =>
    withSession(place, ask.database, 'ledger', body, () => ({ comparing: progress.table, rows: progress.rows }));
  return session(recovered, (client) =>
    knows
      ? session(old, (other) => within({ old: other, recovered: client }))
      : within({ old: undefined, recovered: client }),
  );
}

function hasDatabase(place: SocketPlace, database: string): Promise<boolean> {
  return withSession(place, 'postgres', 'ledger', async (client) => {
    const found = await all(client, 'select 1 from pg_database where datname = $1', [database]);
    return found.length > 0;
  });
}

async function compare(ask: Ask, sessions: Sessions, folder: string, progress: Progress): Promise<Answer> {
  await refuseAnother(ask, sessions.recovered);
  const at = await beginReading(sessions.recovered);
  if (sessions.old !== undefined) await beginReading(sessions.old);
  const tables: LedgerTable[] = [];
  const notes = sessions.old === undefined ? [`the old server has no database ${ask.database}`] : [];
  for (const wanted of ask.tables) {
    const { table, why } = await oneTable(ask, sessions, { wanted, folder, progress });
    tables.push(table);
    const note = `rows are kept beside ${ask.setAside.directory} on ${ask.scratch.host}, not in the evidence store: ${why}`;
    if (why !== undefined && !notes.includes(note)) notes.push(note);
  }
  return {
    at,
    tables,
    notes,
    found: tables.map(tableSentence).join('; '),
    expected: 'what was written after the target, and nothing else',
  };
}

interface One {
  wanted: string;
  folder: string;
  progress: Progress;
}

async function oneTable(
  ask: Ask,
  sessions: Sessions,
  { wanted, folder, progress }: One,
): Promise<{ table: LedgerTable; why?: string }> {
  const path = join(folder, `${safeName(wanted)}.csv`);
  const onLines = async () => {
    const full = await noRoom(ask.scratch, ask.room);
    if (full !== undefined) throw full;
  };
  const { result, csv } = await compareTable(sessions, wanted, path, { progress, onLines }).catch((error: unknown) => {
    throw meaningOf(error, wanted, progress);
  });
  if (csv === undefined) return { table: result };
  const { file, why } = await keep(ask, { table: result.table, path, sha256: await csv.end(), bytes: csv.bytes });
  await rm(path, { force: true });
  return { table: { ...result, file }, ...(why === undefined ? {} : { why }) };
}

/** 55P03: a lock was not given in time. */
function meaningOf(error: unknown, wanted: string, { rows }: Progress): unknown {
  if (error instanceof DatabaseError && error.code === '55P03')
    return failure(
      'TablesBusy',
      `${wanted} could not be read within 10 s: a session or a prepared transaction holds a lock on it that excludes readers. Wait until it is over, or end it.`,
      error,
    );
  if (error instanceof OutOfOrder)
    return failure(
      'Bug',
      `${wanted}, after ${rows} rows: ${error.message}; expected keys in the order that Lifeboat has asked for. If the table's primary key is damaged (pg_amcheck), it is no mistake of Lifeboat's.`,
      error,
    );
  return error;
}

/** The numbers would be of two databases that have nothing to do with each other. */
async function refuseAnother({ setAside, timeline, scratch }: Ask, recovered: Client): Promise<void> {
  const { system_identifier: system, timeline: now, standby } = await one(recovered, standingQuestion);
  if (system === setAside.left.systemIdentifier && Number(now) === timeline) return;
  throw failure(
    'Moved',
    `the server on ${scratch.host} ${standby === 'true' ? 'is a standby' : 'writes'} on timeline ${now} of cluster ${system}; expected the one that took the place of the old one, on timeline ${timeline} of ${setAside.left.systemIdentifier}.`,
  );
}
