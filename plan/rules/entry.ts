/** The entry of the service leads to sites that there are, by values that a record can hold. */
import { durationText } from '../duration.ts';
import type { Entry } from '../entry.ts';
import { entryValue, entryValues } from '../entry-value.ts';
import { nearestKey } from '../issues.ts';
import { repeated, rule } from './rule.ts';

export const theEntryLeadsToKnownSites = rule(['sites', 'entry'], ({ sites, entry }, say) => {
  if (entry === undefined) return;
  const known = Object.keys(sites);
  for (const site of Object.keys(entry.sites))
    if (!known.includes(site)) {
      const near = nearestKey(site, known);
      say(['entry', 'sites', site], `there is no site "${site}"`, {
        at: 'key',
        instead: near === undefined ? `the sites are ${known.join(', ')}` : `did you mean "${near}"?`,
      });
    }
  if (Object.keys(entry.sites).length < 2)
    say(['entry', 'sites'], 'an entry that leads to one site alone cannot be moved', {
      at: 'key',
      instead: 'name at least two sites',
    });
});

export const theEntrySaysWhatARecordCanSay = rule(['entry'], ({ entry }, say) => {
  if (entry === undefined) return;
  const { type } = entry;
  const values = Object.entries(entry.sites).map(([site, written]) => ({ site, value: entryValue(type, written) }));
  for (const { site, value } of values) {
    if (value === undefined)
      say(['entry', 'sites', site], `this is no value of a record of type ${type}`, {
        instead: `write ${entryValues[type]}`,
      });
    if (type === 'CNAME' && value === entryValue(type, entry.name))
      say(['entry', 'sites', site], 'the entry would lead to itself');
  }
  for (const index of repeated(values, ({ site, value }) => value ?? `of ${site}`)) {
    const { site = '', value = '' } = values[index] ?? {};
    const first = values.find((one) => one.value === value)?.site;
    say(['entry', 'sites', site], `${value} is the front door of ${first} already: nobody could tell where clients go`);
  }
});

export const theEntryLiesInItsZone = rule(['entry'], ({ entry }, say) => {
  if (entry?.kind !== 'dns-update') return;
  const [name, zone] = [entry.name.toLowerCase(), entry.zone.toLowerCase()];
  if (name !== zone && !name.endsWith(`.${zone}`))
    say(['entry', 'name'], `${entry.name} does not lie in the zone ${entry.zone}`, {
      instead: `write a name that ends in .${entry.zone}`,
    });
  if (name === zone && entry.type === 'CNAME')
    say(['entry', 'type'], 'the name of a zone itself cannot be a CNAME', { instead: 'write A or AAAA' });
});

export const theEntryIsForgottenInTime = rule(['entry'], ({ entry }, say) => {
  if (entry === undefined) return;
  for (const key of ['ttl', 'movingTtl'] as const) {
    const ms = entry[key];
    if (ms !== undefined && (ms % 1_000 !== 0 || ms > longestTtlMs))
      say(['entry', key], `a TTL is counted in whole seconds, and ${durationText(longestTtlMs)} at the most`);
  }
  if (entry.movingTtl !== undefined && entry.movingTtl > entry.ttl)
    say(['entry', 'movingTtl'], `it is longer than the usual TTL of ${durationText(entry.ttl)}`, {
      instead: `write ${durationText(entry.ttl)} or less`,
    });
});

export const resolversAreAskedOnce = rule(['entry'], ({ entry }, say) => {
  if (entry === undefined) return;
  for (const index of repeated(entry.resolvers, ({ host, port }) => `${host} ${port}`))
    say(['entry', 'resolvers', index], `this resolver is asked already: ${placeOf(entry, index)}`);
});

/** Longer than any resolver would keep it. */
const longestTtlMs = 7 * 24 * 3_600_000;

function placeOf({ resolvers }: Entry, index: number): string {
  const { host = '', port } = resolvers[index] ?? {};
  return `${host}:${port}`;
}
