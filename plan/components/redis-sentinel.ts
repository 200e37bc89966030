/** A cache that Redis Sentinel keeps: a master, its replicas, and Sentinels that agree on which is which. */
import { z } from 'zod';
import { address, duration, name, path, port, secret, text } from '../values.ts';
import { standingOn } from './standing-on.ts';

const atLeastOne = 'the list is empty: name at least one';

const words = z.array(text).min(1, atLeastOne);

const member = z.strictObject({
  host: name.describe('A host of the plan; its host worker stops and starts this server, and touches its files'),
  port: port.default(6379),
  dataDirectory: path.describe('`dir` of its configuration'),
  config: path.default('/etc/redis/redis.conf').describe('Its configuration file: a restore loads the RDB with it'),
  control: z
    .strictObject({
      start: words.describe('Program and words, such as [/usr/bin/sudo, -n, systemctl, start, redis-server]'),
      stop: words,
    })
    .optional()
    .describe('How the server is started and stopped; without it nothing is started, and no restore begins'),
});

const warm = z
  .strictObject({
    host: name.describe('Whose host worker runs the command'),
    command: words.describe(
      'Loads what is needed first, into the master at LIFEBOAT_REDIS_HOST and LIFEBOAT_REDIS_PORT',
    ),
    keys: path
      .optional()
      .describe('A file on that host, a key on each line: the command reads them from its input, at this rate'),
    rate: z
      .int('a whole number')
      .min(1, 'at least 1')
      .max(1_000_000, '1,000,000 at the most')
      .describe('How many a second; without a file of keys the command is told it, in LIFEBOAT_WARM_RATE'),
    within: duration.prefault('10m'),
    hitRatio: z
      .number('write a number from 0 to 1, such as 0.8')
      .min(0, 'a ratio is at least 0')
      .max(1, 'a ratio is at most 1')
      .optional()
      .describe('Of what clients ask for afterwards so much must be there'),
    watch: duration.prefault('1m').describe('For how long it is looked at what clients ask for, before and afterwards'),
  })
  .describe('How the cache is filled, after a restore or when it is asked for');

export const redisSentinel = z.strictObject({
  kind: z.literal('redis-sentinel'),
  ...standingOn,
  master: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, "not a name of Sentinel's: write it as in `sentinel monitor`, such as mymaster")
    .describe("Sentinel's name of the master, such as mymaster"),
  sentinels: z
    .array(z.strictObject({ host: address, port: port.default(26379) }))
    .min(1, atLeastOne)
    .describe('Every one of them: each is asked, and most of them must answer'),
  members: z.array(member).min(1, atLeastOne).describe('The master and its replicas, whichever is which'),
  user: text.optional().describe('Of Redis; absent: the default user'),
  password: secret.optional().describe('Of Redis; read by the control worker, and by the workers of the members'),
  sentinelUser: text.optional(),
  sentinelPassword: secret.optional(),
  restoreFrom: path
    .optional()
    .describe('An RDB file on the host of the master: what is restored when all is gone, or when it is asked for'),
  warm: warm.optional(),
  healthyWithin: duration
    .prefault('2m')
    .describe('How long Sentinel is given to have one master, and replicas that follow it'),
});
