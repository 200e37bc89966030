/** What a record of the entry may say, and when two of them say the same. */
import { isIPv4, isIPv6 } from 'node:net';
import { dnsName } from './values.ts';

export type EntryType = 'A' | 'AAAA' | 'CNAME';

/** By type of record, for people. */
export const entryValues: Record<EntryType, string> = {
  A: 'an IPv4 address, such as 192.0.2.10',
  AAAA: 'an IPv6 address, such as 2001:db8::10',
  CNAME: 'a whole name, such as east.example.com',
};

/** As all who say the same say it: small letters, no dot at the end, an IPv6 address in its shortest form. Else undefined. */
export function entryValue(type: EntryType, written: string): string | undefined {
  if (type === 'A') return isIPv4(written) ? written : undefined;
  if (type === 'AAAA')
    return isIPv6(written) && !written.includes('%') ? new URL(`http://[${written}]`).hostname.slice(1, -1) : undefined;
  return sameName(written);
}

/** A name of DNS as it is compared. */
export function sameName(written: string): string | undefined {
  const name = written.replace(/\.$/, '').toLowerCase();
  return dnsName.safeParse(name).success ? name : undefined;
}
