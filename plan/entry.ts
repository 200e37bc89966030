/** The entry of the service: the DNS name by which its clients reach it, whichever site serves. */
import { z } from 'zod';
import type { EntryType } from './entry-value.ts';
import { address, dnsName, duration, name, port, secret, text } from './values.ts';

const dnsServer = z.strictObject({ host: address, port: port.default(53) });

const resolvers = z
  .array(dnsServer)
  .describe('Resolvers that clients use: what they answer is what clients get, whatever the zone says');

/** What both kinds say of the record. */
const record = {
  name: dnsName.describe('The whole name, such as orders.example.com'),
  type: z.enum(['A', 'AAAA', 'CNAME']) satisfies z.ZodType<EntryType>,
  ttl: duration.describe('The usual one: so long a resolver may go on giving the old answer'),
  movingTtl: duration.optional().describe('The one while a planned move goes on; ttl when absent'),
  sites: z
    .record(name, text)
    .describe("What the record says while this site serves: the address of the site's front door"),
};

const dnsUpdate = z.strictObject({
  kind: z.literal('dns-update'),
  ...record,
  zone: dnsName,
  server: dnsServer.describe('The primary server of the zone: it takes the changes, and is asked what holds'),
  key: z
    .strictObject({
      name: dnsName,
      algorithm: z.enum(['hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
      secret,
    })
    .describe('The TSIG key that the zone lets change this name'),
  resolvers: resolvers.min(1, 'the list is empty: name at least one'),
});

const route53 = z.strictObject({
  kind: z.literal('route53'),
  ...record,
  zoneId: z.string().regex(/^[A-Z0-9]{1,32}$/, 'not the id of a hosted zone: write it as Z0123456789ABC'),
  region: text.default('us-east-1'),
  endpoint: z
    .url({ protocol: /^https?$/, error: 'not an address: write https://host or https://host:port' })
    .refine(
      (url) => !/^https?:\/\/[^/]*@/i.test(url),
      'an address with a password in it: name secrets in accessKeyId and secretAccessKey',
    )
    .optional(),
  accessKeyId: secret,
  secretAccessKey: secret,
  resolvers: resolvers.default([]),
});

export const entrySchema = z
  .discriminatedUnion('kind', [dnsUpdate, route53], 'write kind: dns-update (RFC 2136) or route53')
  .describe('The DNS name by which clients reach the service, whichever site serves');

export type Entry = z.output<typeof entrySchema>;
export type DnsUpdateEntry = z.output<typeof dnsUpdate>;
export type Route53Entry = z.output<typeof route53>;
export type DnsServer = z.output<typeof dnsServer>;
