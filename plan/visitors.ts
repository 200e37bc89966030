/** How visitors come to the application, and are led to it share by share. The database behind it has a front door of its own, `traffic`. */
import { z } from 'zod';
import { duration, path, percent, runtimeSocket, text, webAddress } from './values.ts';

const atLeastOne = 'the list is empty: name at least one';

/** Stands in commands to HAProxy, which are divided by spaces and semicolons. */
const server = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,80}$/, 'not a name of a server of HAProxy: letters, digits, and _ . : - stand in one');

const healthy = z
  .strictObject({
    url: webAddress.describe('Through the front that visitors use'),
    status: z.int('a whole number').min(100).max(599).default(200),
    contains: text
      .optional()
      .describe('Stands in the answer of the service, and not in that of the server of last resort'),
    within: duration.prefault('5s').describe('An answer that takes longer is none'),
    caFile: path.optional().describe('Certificate authority of the address, PEM, on the control worker'),
  })
  .describe('How the service is asked whether it works, from outside');

const stopWhen = z
  .strictObject({
    errors: percent.prefault('2%').describe('More answers than this have failed'),
    latency: duration.prefault('500ms').describe('More than one in twenty answers has taken longer (p95)'),
    for: duration.optional().describe('Judged over the last so long; over the whole soak when absent'),
  })
  .describe('When a share is taken back');

const haproxy = z.strictObject({
  kind: z.literal('haproxy'),
  socket: runtimeSocket,
  backend: text,
  stateFile: path.optional().describe("HAProxy's server-state-file, where the control worker can write it"),
  servers: z.array(server).min(1, atLeastOne).describe('The servers of the backend that serve'),
  closed: server
    .optional()
    .describe('The server of the backend that gets what is left: it says that the service is away'),
  shares: z
    .array(
      z.int('a whole number').min(1, 'a share is a number from 1 to 100').max(100, 'a share is a number from 1 to 100'),
    )
    .min(1, atLeastOne)
    .default([5, 25, 100])
    .describe('Percent of the visitors, one share after the other'),
  soak: duration.prefault('1m').describe('How long each share is watched before the next one'),
  healthy,
  stopWhen: stopWhen.prefault({}),
});

export const visitorsSchema = z
  .discriminatedUnion('kind', [haproxy], 'not a way of visitors that Lifeboat knows: write haproxy')
  .describe('How visitors come to the application, and are led to it share by share');

const external = z.strictObject({
  name: text,
  url: webAddress,
  within: duration.prefault('5s').describe('An answer that takes longer is none'),
});

export const externalsSchema = z
  .array(external)
  .describe('What the service needs of others: interfaces, a content network. A diagnosis of the network asks each');

export type Visitors = z.output<typeof visitorsSchema>;
export type Healthy = Visitors['healthy'];
