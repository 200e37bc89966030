/** The kinds of values that a plan is made of, each with the sentence that says what to write. */
import { z } from 'zod';
import { durationMs } from './duration.ts';
import { howToNameSecrets, secretForm } from './secret-name.ts';
import { bytesOf } from './size.ts';

const howLong = 'write a number and a unit, such as 30s, 15m, 4h or 7d';

/** A length of time in the plan's words; milliseconds once it is loaded. */
export const duration = z
  .string(`not a duration: ${howLong}`)
  .transform((text, context) => {
    const value = durationMs(text);
    if (value !== undefined && value > 0) return value;
    const what = value === 0 ? 'is no time at all' : 'is not a duration';
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text.slice(0, 40))} ${what}: ${howLong}` });
    return z.NEVER;
  })
  .describe('A length of time: 30s, 15m, 4h, 1h30m, 7d');

/** Names a secret. The message never shows what was written: it may be the secret. */
export const secret = z
  .string(`a secret is only named here: ${howToNameSecrets}`)
  .regex(secretForm, `a secret is only named here, never written: ${howToNameSecrets}`)
  .describe(`Names a secret: \${env:NAME} or \${file:/path}`);

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'not a name: use lower-case letters, digits and hyphens, starting with a letter');

/** A name or a word of a person: control characters would mean something to the programs that get it. */
export const text = z
  .string()
  .min(1, 'nothing is written here')
  .regex(/^[^\p{Cc}]*$/u, 'control characters and line breaks cannot stand here');

/** May go over several lines. */
export const statement = z
  .string()
  .min(1, 'nothing is written here')
  .regex(/^[^\0]*$/, 'a zero byte cannot stand here');

/** Absolute and normalised, so that one place has one name and permits can be compared. Never `/` itself. */
export const path = z
  .string()
  .regex(/^\//, { error: 'not an absolute path: begin with /', abort: true })
  .regex(
    /^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}]+)+$/u,
    'not a plain path: write it without "..", "." and double or closing slashes',
  );

/** Before the keys of an object store: no key is anything but below it. */
export const keyPrefix = z
  .string()
  .regex(
    /^$|^(?!\.{1,2}(\/|$))[^/\p{Cc}]+(\/(?!\.{1,2}(\/|$))[^/\p{Cc}]+)*\/?$/u,
    'not a prefix of keys: write it as lifeboat or dr/lifeboat, without "..", "." and an opening slash',
  );

export const port = z
  .number('not a port: write a number from 1 to 65535')
  .int('a port is a whole number')
  .min(1, 'a port is a number from 1 to 65535')
  .max(65535, 'a port is a number from 1 to 65535');

/** A name that resolves, or an IP address. */
export const address = z
  .string()
  .regex(/^(?!-)[A-Za-z0-9._-]{1,253}$|^[0-9A-Fa-f:]{2,39}$/, 'not a host name or an IP address');

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';

/** A name as DNS has it, without the dot at its end; what ends in a number is an address. */
export const dnsName = z
  .string()
  .regex(
    new RegExp(String.raw`^(?=.{1,253}$)(?:${label}\.)*(?!\d+$)${label}$`),
    'not a name of DNS: write it whole and without a dot at its end, such as orders.example.com',
  );

export const size = z
  .string('not a size: write a number and a unit, such as 512MB or 10GB')
  .refine((value) => bytesOf(value) !== undefined, 'not a size: write a number and a unit, such as 512MB or 10GB');

const part = String.raw`(?:[A-Za-z_][\w$]{0,62}|"(?:[^"\p{Cc}]|""){1,63}")`;
const identifier = new RegExp(String.raw`^${part}(?:\.${part})?$`, 'u');

/** `orders`, `sales.orders`, `"Order lines"`: as SQL writes it. */
export const table = z.string().regex(identifier, 'not a table: write it as in SQL, such as orders or sales.orders');

/** Parsed by schedule-words.ts, where the words are explained. */
export const schedule = z.string('not a schedule: write words such as daily 02:00 UTC');

/** HAProxy's runtime socket: an absolute path, or host:port. */
export const runtimeSocket = z
  .string()
  .regex(/^\/[^\p{Cc}]+$|^(?!-)[A-Za-z0-9._-]+:\d{1,5}$/u, 'not a socket: write an absolute path, or host:port');

/** A page or an interface on the web. */
export const webAddress = z
  .url({ protocol: /^https?$/, error: 'not an address: write https://host/path or http://host:port/path' })
  .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), 'an address with a password in it: histories would keep it');

const howMany = 'write a number and %, such as 2% or 0.5%';

/** A part of a whole in the plan's words; a number from 0 to 100 once it is loaded. */
export const percent = z
  .string(`not a part of a whole: ${howMany}`)
  .transform((text, context) => {
    const [, number] = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text.trim()) ?? [];
    if (number !== undefined && Number(number) <= 100) return Number(number);
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(text.slice(0, 40))} is not a part of a whole: ${howMany}`,
    });
    return z.NEVER;
  })
  .describe('A part of a whole: 2%, 0.5%');
