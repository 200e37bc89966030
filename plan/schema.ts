/** The plan: one service, what it promises, where it runs, how it is backed up. A person must be able to read a plan aloud. */
import { z } from 'zod';
import { componentsSchema } from './components.ts';
import { entrySchema } from './entry.ts';
import { patroniRest } from './patroni.ts';
import { peopleSchema } from './people.ts';
import { replication, serverControl } from './server-control.ts';
import {
  address,
  duration,
  keyPrefix,
  name,
  path,
  port,
  runtimeSocket,
  schedule,
  secret,
  size,
  statement,
  table,
  text,
} from './values.ts';
import { externalsSchema, visitorsSchema } from './visitors.ts';

const atLeastOne = 'the list is empty: name at least one';

const objective = z.strictObject({ rto: duration.optional(), rpo: duration.optional() });

const objectives = z
  .strictObject({
    rto: duration.describe('Recovery time objective: the service is back within'),
    rpo: duration.describe('Recovery point objective: what was written within this time before may be lost'),
    /** Where a runbook, a component or a class of data promises something else. */
    runbooks: z.record(name, objective).optional(),
    components: z.record(name, objective).optional(),
    dataClasses: z.record(name, objective.extend({ tables: z.array(table).min(1, atLeastOne) })).optional(),
  })
  .describe('What the service promises');

const phaseBudgets = z
  .strictObject({
    assessment: duration,
    database: duration,
    application: duration,
    validation: duration,
    traffic: duration,
  })
  .describe('How long each phase of a recovery may take; together no longer than the RTO');

const frontDoor = z
  .strictObject({ host: address, port, database: text, user: text, password: secret })
  .describe('Where applications reach the database: always the primary');

const haproxy = z
  .strictObject({
    kind: z.literal('haproxy'),
    socket: runtimeSocket,
    backend: text,
    /** Of the line `server-state-file` of HAProxy's configuration, on the control worker's own host: what was said stays said after a reload. */
    stateFile: path.optional().describe("HAProxy's server-state-file, where the control worker can write it"),
  })
  .describe('What leads traffic to the service');

/** Hosts by name; the address is given where the name does not resolve. */
const site = z.strictObject({
  hosts: z
    .union([z.array(name).min(1, atLeastOne), z.record(name, address)])
    .describe('A list of names, or names with their addresses'),
  frontDoor: z
    .strictObject({ host: address, port })
    .optional()
    .describe('Where the primary is reached while it is in this site; where there are several sites'),
  traffic: haproxy.optional().describe('What leads there; knows the members of this site'),
  backups: z
    .strictObject({
      config: path.describe("pgBackRest's configuration of this site's store, on the hosts of every site"),
    })
    .optional()
    .describe('Where the members of this site archive'),
  reaches: z
    .record(name, z.strictObject({ address, port }))
    .optional()
    .describe('How the hosts of this site reach members of others, where it is another way than the usual one'),
});

const member = z.strictObject({
  host: name,
  port,
  dataDirectory: path,
  control: serverControl.optional(),
  /** Same file system as the data directory: a rename puts the restored one in its place. */
  beside: path
    .optional()
    .describe('Servers that may replace this one are restored below it; drills.monthly.directory when absent'),
});

const assertion = z.strictObject({
  name: text,
  sql: statement.describe('One SELECT that only reads'),
  /** What the first column of the first row must be. */
  expect: z.union([z.number(), z.string(), z.boolean()], 'write the number, text, true or false that is expected'),
});

/** However a primary and its standbys are kept together. */
const cluster = {
  frontDoor,
  members: z.array(member).min(1, atLeastOne),
  replication: replication.optional(),
  criticalTables: z.array(table).min(1, atLeastOne).describe('Compared row by row in every proof'),
  assertions: z.array(assertion).default([]).describe('Statements about the data that must hold'),
};

const standalone = z
  .strictObject({ kind: z.literal('standalone'), ...cluster })
  .describe('A primary and its standbys, without a cluster manager: Lifeboat itself promotes, stops and starts them');

const patroni = z
  .strictObject({
    kind: z.literal('patroni'),
    ...cluster,
    scope: text.describe("Patroni's name of the cluster; its members are named as the hosts here"),
    rest: patroniRest.prefault({}),
    leaderWithin: duration
      .prefault('2m')
      .describe('How long Patroni is given to have a leader that writes, and standbys that follow it'),
  })
  .describe(
    'A primary and its standbys, kept by Patroni: Lifeboat asks it to change the primary, and proves what it did',
  );

const database = z
  .discriminatedUnion(
    'kind',
    [standalone, patroni],
    'not a kind of database that Lifeboat knows: write standalone or patroni',
  )
  .describe('The database: a primary and its standbys');

const pgbackrest = z
  .strictObject({
    kind: z.literal('pgbackrest'),
    stanza: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'not a stanza: a stanza is a plain name'),
    config: path.describe("pgBackRest's configuration file, on every host"),
    full: schedule.optional(),
    differential: schedule.optional(),
    incremental: schedule.optional(),
    /** How often WAL reaches the archive at the latest: PostgreSQL's archive_timeout. */
    archiveTimeout: duration.describe("PostgreSQL's archive_timeout: WAL reaches the archive at the latest after"),
    /** The newest backup may be this old; follows from the cadence when it is not given. */
    newestWithin: duration.optional(),
  })
  .describe('Physical backups and the WAL archive');

const command = z.array(text).min(1, atLeastOne);

const toldOnHost = z.strictObject({ command, within: duration.prefault('1m'), host: name });

const commandApplication = z
  .strictObject({
    kind: z.literal('command'),
    /** Run on the drill host against the restored server (PGHOST, PGPORT, PGDATABASE, PGUSER are set); exit 0 is healthy. */
    smoke: z.strictObject({
      command,
      within: duration,
      live: z
        .boolean()
        .optional()
        .describe('Whether it may also run against the live database after a recovery: what it writes then stays'),
    }),
    quiesce: toldOnHost
      .optional()
      .describe('Before a live recovery: makes the application stop writing, on this host; exit 0 when it has'),
    resume: toldOnHost.optional().describe('After it, and when it is undone: lets the application write again'),
  })
  .describe('How the application shows that it works');

const pulse = z
  .strictObject({
    /** Directory of the log of acknowledged writes, outside of the database. */
    log: path,
    keep: duration.prefault('7d'),
  })
  .describe('A row written each second: measures what was lost, and for how long nobody could write');

const evidenceStore = z
  .strictObject({
    kind: z.literal('s3'),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'not an address: write https://host or https://host:port' })
      .refine(
        (url) => !/^https?:\/\/[^/]*@/i.test(url),
        'an address with a password in it: name secrets in accessKeyId and secretAccessKey',
      ),
    region: text,
    bucket: text,
    prefix: keyPrefix.default(''),
    accessKeyId: secret,
    secretAccessKey: secret,
    /** Certificate authority of the endpoint, PEM. */
    caFile: path.optional(),
    /** Where evidence goes when the store is down. */
    directory: path,
  })
  .describe('Where the evidence of every run is kept');

const backups = z.strictObject({
  physical: pgbackrest,
  anchors: schedule
    .optional()
    .describe(
      'How often the content of the critical tables is noted, beside what every backup notes: restores are compared with it',
    ),
});

const drill = z.strictObject({
  schedule,
  host: name,
  directory: path.describe('Restored servers live below it, for the time of a drill'),
  /** Room that must stay free on the drill host's disk. */
  keepFree: size.default('1GB'),
});

const recovery = z
  .strictObject({
    keepOldFor: duration
      .prefault('14d')
      .describe('What a recovery has set aside is kept so long, unless a person accepts the recovery before'),
  })
  .describe('What holds for recoveries in place');

const fence = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('postgres') }),
      z.strictObject({
        kind: z.literal('command'),
        host: name.describe('Whose host worker runs both; never the host that is fenced'),
        fence: command.describe('Cuts LIFEBOAT_FENCE_HOST off: its power, or its machine; may be run twice'),
        confirm: command.describe('Reads it back: exit code 0 says that it is off'),
        within: duration.prefault('1m').describe('How long each of them may take'),
      }),
      z.strictObject({
        kind: z.literal('attestation'),
        validFor: duration.prefault('30m').describe('How long what a person has seen is believed'),
      }),
    ],
    'not a kind of fence that Lifeboat knows: write postgres, command (with host, fence and confirm) or attestation',
  )
  .describe('How it is made sure that a lost primary cannot write any more');

const failover = z
  .strictObject({
    fencing: z
      .array(fence)
      .min(1, atLeastOne)
      .describe('The first that can be used is used: postgres needs the host worker of the lost primary'),
  })
  .describe('What holds when a primary is lost');

export const planSchema = z.strictObject({
  service: name,
  objectives,
  phases: phaseBudgets,
  sites: z.record(name, site).describe('Regions or data centres, and the hosts in them'),
  database,
  backups,
  application: commandApplication,
  components: componentsSchema.optional(),
  traffic: haproxy,
  entry: entrySchema.optional(),
  visitors: visitorsSchema.optional(),
  externals: externalsSchema.optional(),
  pulse: pulse.optional(),
  evidence: evidenceStore,
  /** Where people reach lifeboat-pages: links in the Temporal UI lead there. */
  pages: z.url({ protocol: /^https?$/ }).optional(),
  drills: z.strictObject({ monthly: drill }),
  recovery: recovery.optional(),
  failover: failover.optional(),
  people: peopleSchema.optional(),
  schedules: z
    .strictObject({
      startWithin: duration
        .prefault('1h')
        .describe(
          'What is scheduled begins within this time, or not at all: when Temporal was away, or another run used its host',
        ),
    })
    .prefault({}),
  /** How soon a dead worker is noticed, and how long a run waits for a host worker to answer. */
  workers: z.strictObject({ heartbeat: duration.prefault('10s'), answerWithin: duration.prefault('10m') }).prefault({}),
});

export type Fence = z.output<typeof fence>;

/** A plan as it is loaded: durations in milliseconds, secrets still only named. */
export type Plan = z.output<typeof planSchema>;
export type Database = Plan['database'];
export type PatroniDatabase = Extract<Database, { kind: 'patroni' }>;
export type FrontDoor = Database['frontDoor'];
export type Member = Database['members'][number];
export type Assertion = Database['assertions'][number];
export type PhysicalBackups = Plan['backups']['physical'];
export type Application = Plan['application'];
export type ApplicationCommand = NonNullable<Application['quiesce']>;
export type Traffic = Plan['traffic'];
export type PulseSettings = NonNullable<Plan['pulse']>;
export type EvidenceStore = Plan['evidence'];
