/** The ground that the bench stands on: an estate with a backup and its anchor, and much WAL after it, all of it archived. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { type Estate, startEstate } from '../lab/estate.ts';
import { database, withServer } from '../lab/postgres.ts';
import { loadPlanFile } from '../plan/load.ts';
import type { Plan } from '../plan/schema.ts';
import type { BackupInfo, Lsn } from '../recovery/archive.ts';
import { archived } from './archived.ts';
import { runbookEnded } from './runs.ts';
import { shop } from './shopping.ts';

export interface GroundOptions {
  root: string;
  orders: number;
  /** WAL segments after the backup, at least. */
  segments: number;
  say(line: string): void;
  signal: AbortSignal;
}

export interface Ground {
  estate: Estate;
  client: Client;
  plan: Plan;
  backup: Pick<BackupInfo, 'label' | 'bytes'>;
  backupRun: WorkflowHandle;
  /** An LSN right after a commit, in an archived segment. */
  target: { lsn: Lsn; timeline: number };
  segments: number;
  segmentBytes: number;
  say(line: string): void;
  signal: AbortSignal;
}

/** Builds it, gives it to `use`, and takes it down again, whatever happens. */
export async function onGround<T>(options: GroundOptions, use: (ground: Ground) => Promise<T>): Promise<T> {
  const { root, orders, say, signal } = options;
  say(`building an estate with ${orders.toLocaleString('en')} orders below ${root}`);
  const estate = await startEstate({ root, rows: orders, faults: false, say, signal });
  try {
    const connection = await Connection.connect({ address: estate.temporal.address });
    try {
      return await use(await prepare(estate, new Client({ connection }), options));
    } finally {
      await connection.close();
    }
  } finally {
    say('ending every process of the estate, and removing its files');
    await estate.stop();
  }
}

async function prepare(estate: Estate, client: Client, { segments, say, signal }: GroundOptions): Promise<Ground> {
  const { plan } = await loadPlanFile(estate.planFile);
  say('taking a full backup, with an anchor');
  const { evidence, handle } = await runbookEnded(client, 'backup', { mode: 'live', type: 'full' }, signal);
  if (evidence.backup === undefined || evidence.outcome !== 'completed')
    throw new Error(`the backup ${evidence.outcome}: ${evidence.failure?.message ?? 'without a reason'}`);
  const { label, bytes } = evidence.backup;
  const segmentBytes = estate.site.tuning.walSegmentMb * 1024 * 1024;
  const from = await position(estate);
  say(`buying at the shop until ${segments} WAL segments are full`);
  await shop(estate, { walBytes: segments * segmentBytes, signal });
  const target = await position(estate);
  await archived(estate, 'db1', signal);
  return {
    estate,
    client,
    plan,
    backup: { label, bytes },
    backupRun: handle,
    target: { lsn: target.lsn, timeline: target.timeline },
    segments: Math.floor((target.bytes - from.bytes) / segmentBytes),
    segmentBytes,
    say,
    signal,
  };
}

async function position({ site }: Estate): Promise<{ lsn: Lsn; timeline: number; bytes: number }> {
  return withServer(site, 'db1', database, async (client) => {
    const { rows } = await client.query<{ lsn: string; timeline: string; bytes: string }>(
      `select pg_current_wal_insert_lsn() as lsn, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes,
         ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the primary did not say where its WAL ends');
    return { lsn: row.lsn, timeline: Number(row.timeline), bytes: Number(row.bytes) };
  });
}
