/** How the servers of a cluster are stopped and started, and how one follows the other. */
import { z } from 'zod';
import { path, secret, text } from './values.ts';

const atLeastOne = 'the list is empty: name at least one';

const words = z.array(text).min(1, atLeastOne);

/** Lifeboat's own: a signal to the server, and the words of its last start, as pg_ctl does it. */
const pgCtl = z.strictObject({
  kind: z.literal('pg_ctl'),
  /** What the server writes before its own log is open; `pg_ctl.log` in the data directory when absent. */
  log: path.optional(),
});

/** Where a service manager owns the server: it would start again by itself what somebody else has stopped. */
const byCommand = z.strictObject({
  kind: z.literal('command'),
  start: words.describe('Program and words, such as [/usr/bin/sudo, -n, systemctl, start, postgresql@15-main]'),
  stop: words.describe('Stops it fast: sessions are ended, a checkpoint is written'),
});

export const serverControl = z
  .discriminatedUnion('kind', [pgCtl, byCommand], 'write kind: pg_ctl, or kind: command with start and stop')
  .describe('How the server is stopped and started; without it a switchover refuses to begin');

const option = z.string().regex(/^[a-z_]{1,40}$/, 'not an option of a connection: write its name, such as sslmode');

export const replication = z
  .strictObject({
    user: text.describe('The role that standbys connect with'),
    passfile: path.optional().describe('Holds its password, on every host; may be read by its database user alone'),
    password: secret.optional().describe('Its password, where there is no passfile: resolved on the host'),
    options: z.record(option, text).default({}).describe('Further words of primary_conninfo, such as sslmode'),
  })
  .describe('How a standby connects to its primary: what a switchover writes into primary_conninfo');

export type ServerControl = z.output<typeof serverControl>;
export type Replication = z.output<typeof replication>;
