/** Changing the record of an entry: it is looked at, changed only from what was seen, and read back. */
import type { Entry } from '../../plan/entry.ts';
import type { EntryRecord } from '../contract.ts';
import { failure } from '../failure.ts';
import { withAuthority } from './authority.ts';
import type { EntryKind, Refusal } from './kind.ts';
import { leadsTo, soleRecord } from './leads.ts';

export interface Changed {
  record: EntryRecord;
  /** How it is known that it holds, in words. */
  proof: string;
}

/**
 * Safe to repeat: what is done already is only proven.
 *
 * @param wanted what a record that is found should become, itself when it is that already; throws Moved where it must not be touched
 * @throws Moved @throws EntryUnfit @throws EntryUnreachable @throws EntryRefused
 */
export function changeRecord(entry: Entry, wanted: (found: EntryRecord) => EntryRecord): Promise<Changed> {
  return withAuthority(entry, async (kind) => {
    const found = await recordOf(kind, entry);
    const record = wanted(found);
    const refusal = same(found, record) ? undefined : await kind.replace(found, record);
    if (refusal !== undefined) await whyRefused({ kind, entry, found, wanted, refusal });
    const settled = await kind.settle(record);
    const proven = await recordOf(kind, entry);
    if (same(proven, record)) return { record, proof: settled };
    throw failure(
      'Moved',
      `${entry.name} was changed to lead ${leadsTo(entry, record.value)}, and leads ${leadsTo(entry, proven.value)} a moment later, with a TTL of ${proven.ttlSeconds} s: somebody else has changed it. Find out who does, and look again.`,
    );
  });
}

/** The answer to an earlier try may have been lost after it had done its work: then what is there now is what was wanted. */
async function whyRefused({ kind, entry, found, wanted, refusal }: Refused): Promise<void> {
  const now = await recordOf(kind, entry);
  if (same(now, wanted(now))) return;
  if (same(now, found))
    throw failure(
      'EntryRefused',
      `the change of ${entry.name} was refused (${refusal.why}), though the record is still as it was seen: ${now.value}, TTL ${now.ttlSeconds} s. See whether the zone allows the new value, and whether this worker is shown the same zone that it changes.`,
    );
  throw failure(
    'Moved',
    `${entry.name} changed between the look at it and the change, which was refused: it leads ${leadsTo(entry, now.value)} now, with a TTL of ${now.ttlSeconds} s. Find out who changes it, and look again.`,
  );
}

interface Refused {
  kind: EntryKind;
  entry: Entry;
  found: EntryRecord;
  wanted: (found: EntryRecord) => EntryRecord;
  refusal: Refusal;
}

/** @throws EntryUnfit */
export async function recordOf(kind: EntryKind, entry: Entry): Promise<EntryRecord> {
  return soleRecord(entry, await kind.read());
}

export function same(one: EntryRecord, other: EntryRecord): boolean {
  return one.value === other.value && one.ttlSeconds === other.ttlSeconds;
}
