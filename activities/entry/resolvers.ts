/** What the resolvers of the plan tell their clients. */
import type { DnsServer, Entry } from '../../plan/entry.ts';
import type { ResolverAnswer } from '../contract.ts';
import { siteOf } from './leads.ts';
import { askDns, type DnsAnswer, NoAnswer, placeOf } from './question.ts';

/** In the order of the plan. One that does not answer says why. */
export function resolverAnswers(entry: Entry): Promise<ResolverAnswer[]> {
  return Promise.all(entry.resolvers.map((resolver) => answerOf(entry, resolver)));
}

async function answerOf(entry: Entry, server: DnsServer): Promise<ResolverAnswer> {
  const resolver = placeOf(server);
  const { name, type } = entry;
  try {
    return judged(entry, resolver, await askDns(server, { name, type, recursive: true }));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { resolver, values: [], why: error.message };
  }
}

function judged(entry: Entry, resolver: string, { code, records }: DnsAnswer): ResolverAnswer {
  const own = records.filter((one) => one.type === entry.type);
  const values = own.map(({ value }) => value);
  if (own.length === 0) {
    const [other] = records;
    const instead = other === undefined ? '' : `, but a ${other.type} to ${other.value}`;
    return { resolver, values, why: `gives no record of type ${entry.type} (${code}${instead})` };
  }
  const [value = '', ...more] = values;
  const site = more.length === 0 ? siteOf(entry, value) : undefined;
  return {
    resolver,
    values,
    ...(site === undefined ? {} : { site }),
    ttlSeconds: Math.max(...own.map(({ ttlSeconds }) => ttlSeconds)),
  };
}

/** `resolver 10.0.0.53:53 gives 192.0.2.10 (east) for 17 s more` */
export function answerInWords({ resolver, values, site, ttlSeconds, why }: ResolverAnswer): string {
  if (why !== undefined) return `resolver ${resolver} ${why}`;
  return `resolver ${resolver} gives ${values.join(' and ')} (${site ?? 'no site of the plan'}) for ${ttlSeconds} s more`;
}
