/** Anchors: points at which the content of the critical tables is known. They outlive the workers, so they lie in the store. */
import pMap from 'p-map';
import type { EvidenceStore } from '../../plan/schema.ts';
import type { Anchor } from '../../recovery/archive.ts';
import { waitingOut } from '../outage.ts';
import type { Found, Patience } from '../shapes.ts';
import { stableJson } from './json.ts';
import { anchorFolder, anchorKey, anchorTime } from './layout.ts';
import { withStore } from './object-store.ts';

const most = 100;
/** They become part of a run's history: older ones are left out before that grows fat. */
const mostBytes = 256 * 1024;

/**
 * Safe to repeat: the same anchor has the same name and bytes.
 *
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function saveAnchor(
  ask: { store: EvidenceStore; service: string; anchor: Anchor } & Patience,
): Promise<Found & { location: string }> {
  const { service, anchor } = ask;
  const key = anchorKey(service, anchor);
  return waitingOut('StoreUnreachable', ask, () =>
    withStore(ask.store, async (opened) => {
      await opened.put(key, stableJson(anchor), 'application/json');
      return {
        location: opened.location(key),
        found: `anchor at ${anchor.lsn} on timeline ${anchor.timeline}, ${anchor.tables.length} tables, kept as ${opened.location(key)}`,
      };
    }),
  );
}

/**
 * Newest first, at most 100.
 *
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function listAnchors(
  ask: { store: EvidenceStore; service: string } & Patience,
): Promise<Found & { anchors: Anchor[] }> {
  return waitingOut('StoreUnreachable', ask, () =>
    withStore(ask.store, async (opened) => {
      const keys = await opened.list(anchorFolder(ask.service));
      const newest = [...keys].sort((a, b) => (anchorTime(a) < anchorTime(b) ? 1 : -1)).slice(0, most);
      const read = await pMap(newest, (key) => opened.get(key), { concurrency: 8 });
      const anchors = withinSize(read.filter((bytes) => bytes !== undefined));
      const left = keys.length - anchors.length;
      return {
        anchors,
        found:
          keys.length === 0
            ? `no anchor of ${ask.service} in the store`
            : `${anchors.length} anchors of ${ask.service}, the newest of ${anchors[0]?.at ?? 'unknown time'}${left > 0 ? `; ${left} older or unreadable ones left out` : ''}`,
      };
    }),
  );
}

function withinSize(read: Uint8Array[]): Anchor[] {
  let total = 0;
  return read.flatMap((bytes) => {
    total += bytes.length;
    const anchor = total <= mostBytes ? parseAnchor(bytes) : undefined;
    return anchor === undefined ? [] : [anchor];
  });
}

/** What is no anchor cannot be recovered to: it is left out, and counted. */
function parseAnchor(bytes: Uint8Array): Anchor | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isAnchor(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isAnchor(value: unknown): value is Anchor {
  if (typeof value !== 'object' || value === null) return false;
  const { lsn, timeline, at, systemIdentifier, source, tables } = value as Partial<Anchor>;
  return (
    [lsn, at, systemIdentifier, source].every((one) => typeof one === 'string') &&
    typeof timeline === 'number' &&
    Array.isArray(tables)
  );
}
