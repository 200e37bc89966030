/** How long resolvers may keep the answer: lowered before a planned move, and put back. */
import type { EntryChanges, EntryRecord } from '../contract.ts';
import { failure } from '../failure.ts';
import { changeRecord, same } from './change.ts';
import { leadsTo, siteOf } from './leads.ts';

/**
 * Safe to repeat: counted from when the change was last proven, never too short. A resolver that asked a moment before keeps the old
 * answer for all of the old TTL.
 *
 * @throws Moved the record is neither as it was found, nor that with the new TTL
 */
export const setEntryTtl: EntryChanges['setEntryTtl'] = async ({ entry, record, ttlSeconds }) => {
  checkTtl(ttlSeconds);
  const wanted: EntryRecord = { ...record, ttlSeconds };
  const { proof } = await changeRecord(entry, (found) => {
    if (same(found, record) || same(found, wanted)) return wanted;
    throw failure(
      'Moved',
      `${entry.name} leads ${leadsTo(entry, found.value)} with a TTL of ${found.ttlSeconds} s, expected ${record.value} with ${record.ttlSeconds} s: somebody else has changed it. Look again.`,
    );
  });
  const waits = ttlSeconds < record.ttlSeconds ? record.ttlSeconds : 0;
  const until = new Date(Date.now() + waits * 1_000).toISOString();
  return {
    until,
    found: `the TTL of ${entry.name} is ${ttlSeconds} s, was ${record.ttlSeconds} s; ${proof}. Resolvers may keep the old answer until ${until}`,
    expected: `a TTL of ${ttlSeconds} s`,
  };
};

/** Safe to repeat. */
export const restoreEntryTtl: EntryChanges['restoreEntryTtl'] = async ({ entry, ttlSeconds }) => {
  checkTtl(ttlSeconds);
  const { record, proof } = await changeRecord(entry, (found) => {
    if (siteOf(entry, found.value) !== undefined) return { ...found, ttlSeconds };
    throw failure(
      'Moved',
      `${entry.name} leads ${leadsTo(entry, found.value)}: somebody else has changed it, and it was left alone. Set its TTL by hand.`,
    );
  });
  return {
    found: `the TTL of ${entry.name} is ${ttlSeconds} s; it leads ${leadsTo(entry, record.value)}; ${proof}`,
    expected: `a TTL of ${ttlSeconds} s`,
  };
};

function checkTtl(ttlSeconds: number): void {
  if (Number.isInteger(ttlSeconds) && ttlSeconds > 0) return;
  throw failure('InputInvalid', `a TTL of ${ttlSeconds} s: expected whole seconds, at least one.`);
}
