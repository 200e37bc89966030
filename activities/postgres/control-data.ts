/** pg_control as pg_controldata prints it: what a stopped server knows of itself. */
import { join } from 'node:path';
import { runTool } from '../child.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';

export interface ControlData {
  /** `shut down`, `in production`, `in archive recovery`, ... */
  state: string;
  timeline: number;
  systemIdentifier: string;
  /** Where the record of the last checkpoint begins: of a server that was shut down, its last record. */
  checkpoint: string;
  /** Where a recovery from that checkpoint begins. */
  redo: string;
  /** Of a standby: what it has replayed at least, before its data are consistent; `0/0` of others. */
  replayed: string;
  /** Timeline of that; 0 of others. */
  replayedTimeline: number;
  walLogHints: boolean;
  /** 0: pages carry no checksums. */
  checksumVersion: number;
  segmentBytes: number;
  /** Settings that a hot standby must not undercut. */
  minima: Record<(typeof minima)[number], number>;
  trackCommitTimestamp: boolean;
}

/** The names of pg_controldata where they differ from the server's are mapped below. */
export const minima = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
] as const;

const printedAs: Partial<Record<(typeof minima)[number], string>> = {
  max_prepared_transactions: 'max_prepared_xacts',
  max_locks_per_transaction: 'max_locks_per_xact',
};

/** @throws RestoreFailed there is no readable pg_control */
export async function controlData(permit: Permit, data: string): Promise<ControlData> {
  const { code, stdout, stderr } = await runTool(join(permit.postgresql, 'pg_controldata'), ['-D', data]);
  if (code !== 0)
    throw failure(
      'RestoreFailed',
      `pg_control in ${data} cannot be read: ${stderr.trim()}. The restore is not complete, or it is of another major version than ${permit.postgresql}.`,
    );
  const lines = new Map(stdout.split('\n').map((line) => split(line)));
  const number = (name: string) => Number(lines.get(name) ?? Number.NaN);
  const least = minima.map((name) => [name, number(`${printedAs[name] ?? name} setting`)] as const);
  return {
    state: lines.get('Database cluster state') ?? '',
    timeline: number("Latest checkpoint's TimeLineID"),
    systemIdentifier: lines.get('Database system identifier') ?? '',
    checkpoint: lines.get('Latest checkpoint location') ?? '',
    redo: lines.get("Latest checkpoint's REDO location") ?? '',
    replayed: lines.get('Minimum recovery ending location') ?? '0/0',
    replayedTimeline: number("Min recovery ending loc's timeline"),
    walLogHints: lines.get('wal_log_hints setting') === 'on',
    checksumVersion: number('Data page checksum version'),
    segmentBytes: number('Bytes per WAL segment'),
    minima: Object.fromEntries(least) as ControlData['minima'],
    trackCommitTimestamp: lines.get('track_commit_timestamp setting') === 'on',
  };
}

function split(line: string): [string, string] {
  const at = line.indexOf(':');
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}
