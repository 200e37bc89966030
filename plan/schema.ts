/** The plan: one service, what it promises, where it runs, how it is backed up. A person must be able to read a plan aloud. */
import { z } from 'zod';
import { durationMs } from './duration.ts';

/** A length of time in the plan's words; milliseconds once it is loaded. */
const duration = z.string().transform((text, context) => {
  const value = durationMs(text);
  if (value !== undefined) return value;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not a duration: write a number and a unit, such as 30s, 15m, 4h or 7d`,
  });
  return z.NEVER;
});

/** Names a secret; the secret itself is read by the worker that needs it, inside the activity. */
const secret = z
  .string()
  .regex(
    /^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)\}$/,
    'a secret is only named: write ${env:NAME} or ${file:/path}',
  );

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and hyphens, starting with a letter');
const path = z.string().startsWith('/', 'write an absolute path');
const port = z.number().int().min(1).max(65535);
const words = z.string().min(3);

const objective = z.strictObject({ rto: duration.optional(), rpo: duration.optional() });

export const objectives = z.strictObject({
  rto: duration,
  rpo: duration,
  /** Where a runbook, a component or a class of data promises something else. */
  runbooks: z.record(name, objective).optional(),
  components: z.record(name, objective).optional(),
  dataClasses: z.record(name, objective.extend({ tables: z.array(z.string()).min(1) })).optional(),
});

export const phaseBudgets = z.strictObject({
  assessment: duration,
  database: duration,
  application: duration,
  validation: duration,
  traffic: duration,
});

/** Hosts by name; the address is given where the name does not resolve. */
const site = z.strictObject({ hosts: z.union([z.array(name), z.record(name, z.string())]) });

const frontDoor = z.strictObject({
  host: z.string(),
  port,
  database: z.string(),
  user: z.string(),
  password: secret,
});

const member = z.strictObject({ host: name, port, dataDirectory: path });

const assertion = z.strictObject({
  name: z.string(),
  sql: z.string(),
  /** What the first column of the first row must be. */
  expect: z.union([z.number(), z.string(), z.boolean()]),
});

export const standalone = z.strictObject({
  kind: z.literal('standalone'),
  frontDoor,
  members: z.array(member).min(1),
  criticalTables: z.array(z.string()).min(1),
  assertions: z.array(assertion).default([]),
});

export const pgbackrest = z.strictObject({
  kind: z.literal('pgbackrest'),
  stanza: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'a stanza is a plain name'),
  config: path,
  full: words.optional(),
  differential: words.optional(),
  incremental: words.optional(),
  /** How often WAL reaches the archive at the latest: PostgreSQL's archive_timeout. */
  archiveTimeout: duration,
  /** The newest backup may be this old; follows from the cadence when it is not given. */
  newestWithin: duration.optional(),
});

export const commandApplication = z.strictObject({
  kind: z.literal('command'),
  /** Run on the drill host against the restored server (PGHOST, PGPORT, PGDATABASE, PGUSER are set); exit 0 is healthy. */
  smoke: z.strictObject({ command: z.array(z.string()).min(1), within: duration }),
});

export const haproxy = z.strictObject({
  kind: z.literal('haproxy'),
  /** The runtime socket: an absolute path, or host:port. */
  socket: z.string(),
  backend: z.string(),
});

export const pulse = z.strictObject({
  /** Directory of the log of acknowledged writes, outside of the database. */
  log: path,
  keep: duration.prefault('7d'),
});

export const evidenceStore = z.strictObject({
  kind: z.literal('s3'),
  endpoint: z.url(),
  region: z.string(),
  bucket: z.string(),
  prefix: z.string().default(''),
  accessKeyId: secret,
  secretAccessKey: secret,
  /** Certificate authority of the endpoint, PEM. */
  caFile: path.optional(),
  /** Where evidence goes when the store is down. */
  directory: path,
});

export const drill = z.strictObject({
  schedule: words,
  host: name,
  directory: path,
  /** Room that must stay free on the drill host's disk. */
  keepFree: z.string().default('1GB'),
});

export const planSchema = z.strictObject({
  service: name,
  objectives,
  phases: phaseBudgets,
  sites: z.record(name, site),
  database: standalone,
  backups: z.strictObject({ physical: pgbackrest }),
  application: commandApplication,
  traffic: haproxy,
  pulse: pulse.optional(),
  evidence: evidenceStore,
  drills: z.strictObject({ monthly: drill }),
  /** How soon a dead worker is noticed, and how long a run waits for a host worker to answer. */
  workers: z.strictObject({ heartbeat: duration.prefault('10s'), answerWithin: duration.prefault('10m') }).prefault({}),
});

/** A plan as it is loaded: durations in milliseconds, secrets still only named. */
export type Plan = z.output<typeof planSchema>;
export type Database = Plan['database'];
export type FrontDoor = Database['frontDoor'];
export type Member = Database['members'][number];
export type Assertion = Database['assertions'][number];
export type PhysicalBackups = Plan['backups']['physical'];
export type Application = Plan['application'];
export type Traffic = Plan['traffic'];
export type PulseSettings = NonNullable<Plan['pulse']>;
export type EvidenceStore = Plan['evidence'];
export type Drill = Plan['drills']['monthly'];
