/** An entry in a zone that takes dynamic updates. @see RFC 2136 @see BIND 9 Administrator Reference Manual, "Dynamic Update" */
import type { DnsUpdateEntry } from '../../plan/entry.ts';
import { failure } from '../failure.ts';
import type { EntryKind, RecordSet } from './kind.ts';
import { rehearse, update } from './nsupdate.ts';
import { askDns, type DnsAnswer, NoAnswer, placeOf } from './question.ts';

export function dnsUpdate(entry: DnsUpdateEntry): EntryKind {
  return {
    read: () => read(entry),
    replace: (before, after) => update(entry, before, after),
    rehearse: async (record) => void (await rehearse(entry, record)),
    settle: async () => `the zone's primary server ${placeOf(entry.server)} answers so`,
    close: () => undefined,
  };
}

async function read(entry: DnsUpdateEntry): Promise<RecordSet | undefined> {
  const { name, type, server, zone } = entry;
  const answer = await ask(entry);
  const place = `the DNS server ${placeOf(server)}`;
  if (answer.code === 'SERVFAIL')
    throw failure('EntryUnreachable', `${place} cannot answer for ${name} (SERVFAIL): see its log.`);
  if (answer.code !== 'NOERROR' && answer.code !== 'NXDOMAIN')
    throw failure(
      'EntryRefused',
      `${place} does not answer for ${name} (${answer.code}). Is it the primary server of ${zone}, and may this worker ask it? See entry.server in the plan.`,
    );
  if (!answer.authoritative)
    throw failure(
      'EntryRefused',
      `${place} does not keep the zone ${zone} itself: it only passes on what others say. Name the zone's primary server in entry.server.`,
    );
  const records = answer.records.filter((one) => one.type === type);
  const [other] = answer.records;
  if (records.length === 0 && other !== undefined)
    throw failure(
      'EntryUnfit',
      `${name} is a ${other.type} to ${other.value}, expected a record of type ${type}. Correct entry.type in the plan, or the record.`,
    );
  if (records.length === 0) return undefined;
  return { values: records.map(({ value }) => value), ttlSeconds: Math.min(...records.map((one) => one.ttlSeconds)) };
}

async function ask({ name, type, server }: DnsUpdateEntry): Promise<DnsAnswer> {
  try {
    return await askDns(server, { name, type, recursive: false });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw failure(
      'EntryUnreachable',
      `the DNS server ${placeOf(server)} ${error.message}. See whether it runs, and whether this worker may ask it over UDP and TCP.`,
    );
  }
}
