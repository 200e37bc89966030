import { ApplicationFailure } from '@temporalio/common';
import type { Entry } from '../../plan/entry.ts';
import type { EntryReads, EntryRecord, EntryState, ResolverAnswer } from '../contract.ts';
import { withAuthority } from './authority.ts';
import { leadsTo, siteOf, soleRecord } from './leads.ts';
import { answerInWords, resolverAnswers } from './resolvers.ts';

/** A record that cannot be moved is told, and fails nothing here: `unfit` says why. */
export const entryState: EntryReads['entryState'] = async ({ entry }) => {
  const [kept, resolvers] = await Promise.all([keptBy(entry), resolverAnswers(entry)]);
  return { ...kept, resolvers, found: inWords(entry, kept, resolvers), expected: 'one value, that of a site' };
};

type Kept = Pick<EntryState, 'record' | 'site' | 'unfit'>;

async function keptBy(entry: Entry): Promise<Kept> {
  try {
    const record = await withAuthority(entry, async (kind) => soleRecord(entry, await kind.read()));
    const site = siteOf(entry, record.value);
    if (site !== undefined) return { record, site };
    return {
      record,
      unfit: `${entry.name} leads ${leadsTo(entry, record.value)}. Correct the record, or entry.sites in the plan.`,
    };
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'EntryUnfit') return { unfit: error.message };
    throw error;
  }
}

function inWords(entry: Entry, { record, unfit }: Kept, resolvers: ResolverAnswer[]): string {
  const own = unfit ?? `${entry.name} leads ${leadsTo(entry, valueIn(record))}, TTL ${record?.ttlSeconds} s`;
  return [own, ...resolvers.map(answerInWords)].join('; ');
}

function valueIn(record: EntryRecord | undefined): string {
  return record?.value ?? 'nothing';
}
