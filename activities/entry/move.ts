import type { EntryChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { changeRecord } from './change.ts';
import { frontDoorOf, leadsTo } from './leads.ts';

/**
 * Safe to repeat: a record that leads to `to` already is only proven. Its TTL stays.
 *
 * @throws Moved it leads to neither of the two
 */
export const moveEntry: EntryChanges['moveEntry'] = async ({ entry, from, to }) => {
  const [before, after] = [frontDoorOf(entry, from), frontDoorOf(entry, to)];
  const { record, proof } = await changeRecord(entry, (found) => {
    if (found.value === before || found.value === after) return { ...found, value: after };
    throw failure(
      'Moved',
      `${entry.name} leads ${leadsTo(entry, found.value)}, expected ${from} (${before}): somebody else has moved it. Find out who, and look again before clients are led elsewhere.`,
    );
  });
  const at = new Date();
  return {
    at: at.toISOString(),
    until: new Date(at.getTime() + record.ttlSeconds * 1_000).toISOString(),
    found: `${entry.name} leads ${leadsTo(entry, record.value)}, with a TTL of ${record.ttlSeconds} s; ${proof}`,
    expected: `the record leads to ${to}`,
  };
};
