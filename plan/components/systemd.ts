/** An application that systemd keeps, on a host of its own or beside others. */
import { z } from 'zod';
import { duration, name, text } from '../values.ts';
import { standingOn } from './standing-on.ts';

const healthy = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'not an address: write http://127.0.0.1:8080/health' })
      .refine(
        (url) => !/^https?:\/\/[^/]*@/i.test(url),
        'an address with a password in it: let it be asked without one',
      )
      .describe('Asked by the host worker, so the loopback address will do'),
    status: z.int('a whole number').min(100, 'a status is 100 to 599').max(599, 'a status is 100 to 599').default(200),
    contains: text.optional().describe('What the answer must have in it'),
    within: duration.prefault('1m').describe('How long after a start it may take to become healthy'),
  })
  .describe('What the application says of itself; without it, to run is all that is asked of it');

export const systemd = z.strictObject({
  kind: z.literal('systemd'),
  ...standingOn,
  host: name.describe('Whose host worker speaks to systemd'),
  unit: z
    .string()
    .max(255, 'a name of a unit has at most 255 characters')
    .regex(
      /^(?!.*@\.service$)[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.service$/,
      'not a unit: write it whole, such as orders.service or orders@1.service',
    ),
  healthy: healthy.optional(),
  staysUp: duration.prefault('5s').describe('It counts as started once it has run for so long, in one piece'),
  startsWithin: duration.prefault('2m').describe('How long a start may take, restarts by systemd included'),
  stopsWithin: duration.prefault('2m').describe("How long a stop may take; more than the unit's own TimeoutStopSec"),
  comesBackWithin: duration
    .prefault('2m')
    .describe('How long it may take to come back by itself, before an application recovery does anything'),
});

export type SystemdUnit = z.output<typeof systemd>;
