import { ApplicationFailure } from '@temporalio/common';
import type { Entry } from '../../plan/entry.ts';
import type { NameAnswers, NetworkReads } from '../contract.ts';
import { withAuthority } from '../entry/authority.ts';
import { siteOf, soleRecord } from '../entry/leads.ts';
import { answerInWords, resolverAnswers } from '../entry/resolvers.ts';

export const nameAnswers: NetworkReads['nameAnswers'] = async ({ entry }) => {
  const [authority, resolvers] = await Promise.all([keptBy(entry), resolverAnswers(entry)]);
  const own = authority.why ?? `${entry.name} says ${authority.value}, TTL ${authority.ttlSeconds} s`;
  return {
    ...{ authority, resolvers },
    found: [own, ...resolvers.map(answerInWords)].join('; '),
    expected: 'the same answer everywhere, that of a site',
  };
};

async function keptBy(entry: Entry): Promise<NameAnswers['authority']> {
  try {
    const { value, ttlSeconds } = await withAuthority(entry, async (kind) => soleRecord(entry, await kind.read()));
    const site = siteOf(entry, value);
    return { value, ttlSeconds, ...(site === undefined ? {} : { site }) };
  } catch (error) {
    if (error instanceof ApplicationFailure) return { why: error.message };
    throw error;
  }
}
