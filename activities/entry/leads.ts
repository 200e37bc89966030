/** Where the record of an entry leads, and why it may lead nowhere. */
import type { Entry } from '../../plan/entry.ts';
import { entryValue } from '../../plan/entry-value.ts';
import type { EntryRecord } from '../contract.ts';
import { failure } from '../failure.ts';
import type { RecordSet } from './kind.ts';

/** The one value that a record can be moved from. @throws EntryUnfit there is none, or more than one */
export function soleRecord(entry: Entry, found: RecordSet | undefined): EntryRecord {
  const { name, type } = entry;
  if (found === undefined)
    throw failure(
      'EntryUnfit',
      `${name} has no record of type ${type}, expected one that leads to ${sitesOf(entry)}. Make it by hand, with the value of the site that serves.`,
    );
  const [value, ...more] = found.values;
  if (value === undefined || more.length > 0)
    throw failure(
      'EntryUnfit',
      `${name} has ${found.values.length} values (${found.values.join(', ')}), expected one alone: clients would go to several places at once. Keep that of the site that serves.`,
    );
  return { value, ttlSeconds: found.ttlSeconds };
}

/** The site whose front door a value is; `undefined` when it is no site's. */
export function siteOf(entry: Entry, value: string): string | undefined {
  return Object.keys(entry.sites).find((site) => frontDoorOf(entry, site) === value);
}

/** What the record says while the site serves. @throws PlanInvalid */
export function frontDoorOf(entry: Entry, site: string): string {
  const written = Object.hasOwn(entry.sites, site) ? entry.sites[site] : undefined;
  const value = written === undefined ? undefined : entryValue(entry.type, written);
  if (value !== undefined) return value;
  throw failure(
    'PlanInvalid',
    written === undefined
      ? `the entry ${entry.name} does not lead to a site "${site}": it knows ${Object.keys(entry.sites).join(', ')}. Add it to entry.sites in the plan.`
      : `entry.sites.${site} is no value of a record of type ${entry.type}. Correct the plan.`,
  );
}

/** Where a value leads, for people. */
export function leadsTo(entry: Entry, value: string): string {
  const site = siteOf(entry, value);
  return site === undefined
    ? `to ${value}, which is the front door of no site of the plan (${sitesOf(entry)})`
    : `to ${site} (${value})`;
}

function sitesOf(entry: Entry): string {
  return Object.entries(entry.sites)
    .map(([site, value]) => `${site} ${value}`)
    .join(', ');
}
