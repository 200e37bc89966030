/** Where things lie in the store, and below the directory that stands in for it. */
import { createHash } from 'node:crypto';

/** Written by one store, read by whoever holds the keys: stable. */
export const evidenceFile = 'evidence.json';

/** Later than any time in milliseconds until the year 2286: subtracting from it lists the newest first. */
const endOfTime = 9_999_999_999_999;

export const runFolder = (service: string, run: string): string => `${service}/runs/${safeName(run)}/`;
export const executionFolder = (service: string, run: string, runId: string): string =>
  `${runFolder(service, run)}${safeName(runId)}/`;
/** Rows that a recovery did not bring back: read by nobody but those who hold the keys of the store. */
export const ledgerKey = (service: string, run: string, runId: string, table: string): string =>
  `${executionFolder(service, run, runId)}ledger/${safeName(table)}.csv`;
export const indexFolder = (service: string): string => `${service}/index/`;
/** The same lines again, so that a monthly drill is still found among the backups of many months. */
export const kindFolder = (service: string, { runbook, mode }: { runbook: string; mode: string }): string =>
  `${service}/kinds/${safeName(runbook)}-${safeName(mode)}/`;
export const anchorFolder = (service: string): string => `${service}/anchors/`;
export const provenFolder = (service: string, what: string): string => `${service}/proven/${safeName(what)}/`;

/** A name that sorts the newest first and can still be read: S3 lists in one direction only. */
export function newestFirst(at: string, name: string): string {
  return `${String(endOfTime - Date.parse(at)).padStart(13, '0')}_${at}_${safeName(name)}.json`;
}

/** The time in a name made by `newestFirst`. */
export function timeIn(key: string): string | undefined {
  return /\d{13}_([0-9TZ:.-]+)_[^/]*$/.exec(key)?.[1];
}

/** Anchors lie in the order of the WAL, timeline by timeline. */
export function anchorKey(service: string, anchor: { timeline: number; lsn: string; at: string }): string {
  const [high = '', low = ''] = anchor.lsn.split('/');
  const position = `${high.padStart(8, '0')}${low.padStart(8, '0')}`.toUpperCase();
  return `${anchorFolder(service)}${String(anchor.timeline).padStart(8, '0')}-${position}-${anchor.at}.json`;
}

/** When the anchor behind a key was taken. */
export function anchorTime(key: string): string {
  return /[0-9A-F]{16}-(.+)\.json$/.exec(key)?.[1] ?? '';
}

/**
 * A workflow id may hold anything, slashes and dots included, and be 1,000 characters long.
 * `~` is in no name that is used as it is, so two names never meet.
 */
export function safeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 60)}~${digest}`;
}
