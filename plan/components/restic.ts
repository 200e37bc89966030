/** Files that restic keeps: configuration, certificates, what people have uploaded. */
import { z } from 'zod';
import { duration, name, path, schedule, secret, text } from '../values.ts';
import { standingOn } from './standing-on.ts';

const atLeastOne = 'the list is empty: name at least one';
const command = z.array(text).min(1, atLeastOne);

/** restic takes its patterns and lists apart by these: a path that has one would be another, or several. */
const plainPath = path.regex(
  /^[^*?[\]\\,]*$/,
  'restic would read "*", "?", "[", "]", "\\" or "," in it as a pattern: give the directory above it',
);

const inUse = z
  .strictObject({
    test: command.describe(
      'Says whether what lies in the paths can be used, as nginx -t does; exit code 0 when it can',
    ),
    reload: command.describe('Lets what runs take the new files up; it may be told twice'),
    healthy: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'not an address: write http://host:port/path' })
          .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), 'an address with a password in it'),
        status: z.int().min(100).max(599).default(200),
        contains: text.optional().describe('What the answer must hold'),
        within: duration.prefault('30s').describe('How long it is given to answer so, once it was reloaded'),
      })
      .describe('Asked on the host itself, by its host worker'),
    workers: path
      .optional()
      .describe(
        'The pid file of what is reloaded: its children must be new ones afterwards, for a reload that failed says so to nobody',
      ),
  })
  .describe('What runs on the files, and has to take them up');

export const restic = z.strictObject({
  kind: z.literal('restic'),
  ...standingOn,
  host: name.describe('Where the files lie; its host worker runs restic, and snapshots carry this name'),
  repository: z
    .string()
    .regex(
      /^s3:https?:\/\/(?![^/]*@)[^/\s\p{Cc}]+\/[^\s\p{Cc}]+$/u,
      'not a repository in an object store, as restic names it: write s3:https://host/bucket/prefix, without a key in it',
    )
    .describe('As restic names it: s3:https://host/bucket/prefix'),
  password: secret.describe('The key of the repository: who loses it has lost every backup'),
  accessKeyId: secret,
  secretAccessKey: secret,
  caFile: path.optional().describe("Certificate authority of the store, PEM, on the component's host"),
  paths: z.array(plainPath).min(1, atLeastOne).describe('Directories or files, each backed up and brought back whole'),
  schedule: schedule.optional().describe('When they are backed up'),
  newestWithin: duration.describe('How old the newest snapshot may be'),
  inUse: inUse.optional(),
});
