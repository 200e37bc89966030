/** A small estate in memory: typed fakes of every activity, that note what they were asked and fail when they are told to. */
import type {
  ControlChanges,
  ControlReads,
  ControlRecords,
  HostChanges,
  HostReads,
} from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { LeftoverFound, Relations, ServiceMoment } from '../../activities/shapes.ts';
import type { Evidence, Leftover } from '../../evidence/evidence.ts';
import type { EarlierRun } from '../../evidence/forecast.ts';
import type { Plan } from '../../plan/schema.ts';
import type { Anchor, BackupInfo, RecoveryTarget, Repository } from '../../recovery/archive.ts';
import type { ContentFault } from '../../recovery/content.ts';
import type { Suspect } from '../../recovery/search/suspects.ts';
import { FakeApplication } from './fake-application.ts';
import { FakeCache } from './fake-cache.ts';
import { FakeEntry } from './fake-entry.ts';
import { FakeFailover } from './fake-failover.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeLedger } from './fake-ledger.ts';
import { FakePair } from './fake-pair.ts';
import { FakePatroni } from './fake-patroni.ts';
import { FakeRecovery } from './fake-recovery.ts';
import { FakeStandby } from './fake-standby.ts';
import { FakeNetwork, FakeVisitors } from './fake-visitors.ts';

const GB = 1024 ** 3;
const minute = 60_000;

const plan: Plan = {
  service: 'orders',
  objectives: { rto: 240 * minute, rpo: 5 * minute },
  phases: {
    assessment: 15 * minute,
    database: 45 * minute,
    application: 60 * minute,
    validation: 60 * minute,
    traffic: 60 * minute,
  },
  sites: { east: { hosts: { db1: '127.0.0.1', db2: '127.0.0.1' } } },
  database: {
    kind: 'standalone',
    frontDoor: { host: '127.0.0.1', port: 5432, database: 'orders', user: 'orders', password: '$' + '{env:ORDERS}' },
    members: [
      { host: 'db1', port: 5433, dataDirectory: '/srv/db1' },
      { host: 'db2', port: 5434, dataDirectory: '/srv/db2' },
    ],
    criticalTables: ['orders', 'payments'],
    assertions: [{ name: 'Balances sum up', sql: 'select sum(balance) from accounts', expect: 0 }],
  },
  backups: {
    physical: {
      kind: 'pgbackrest',
      stanza: 'orders',
      config: '/etc/pgbackrest.conf',
      full: 'daily 02:00 UTC',
      archiveTimeout: minute,
    },
  },
  application: { kind: 'command', smoke: { command: ['/usr/local/bin/orders-smoke'], within: minute } },
  traffic: { kind: 'haproxy', socket: '127.0.0.1:9999', backend: 'postgres' },
  pulse: { log: '/var/lib/lifeboat/pulse', keep: 7 * 24 * 60 * minute },
  evidence: {
    kind: 's3',
    endpoint: 'https://localhost:9000',
    region: 'us-east-1',
    bucket: 'evidence',
    prefix: '',
    accessKeyId: '$' + '{env:KEY}',
    secretAccessKey: '$' + '{env:SECRET}',
    directory: '/var/lib/lifeboat/runs',
  },
  drills: {
    monthly: { schedule: 'first Saturday 02:00 UTC', host: 'db2', directory: '/srv/scratch', keepFree: '1GB' },
  },
  schedules: { startWithin: 60 * minute },
  workers: { heartbeat: 10_000, answerWithin: 10 * minute },
};

const backup: BackupInfo = {
  label: '20261121-135502F',
  type: 'full',
  startedAt: '2026-11-21T13:55:02Z',
  stoppedAt: '2026-11-21T13:55:08Z',
  startLsn: '0/5000028',
  stopLsn: '0/5000138',
  startWal: '000000010000000000000005',
  stopWal: '000000010000000000000005',
  timeline: 1,
  bytes: GB,
  repositoryBytes: GB / 4,
  error: false,
  tablespaces: [],
};

const anchor: Anchor = {
  lsn: '0/59E1A40',
  timeline: 1,
  at: '2026-11-21T13:55:09.000Z',
  lastCommitAt: '2026-11-21T13:55:08.900Z',
  systemIdentifier: '7',
  source: 'standby db2, replay paused',
  tables: [
    { table: 'public.orders', rows: 212, fingerprint: '42', castToText: [] },
    { table: 'public.payments', rows: 198, fingerprint: '-7', castToText: [] },
  ],
};

/** What this estate looks like; a test changes what it is about. */
export class FakeEstate {
  readonly calls: string[] = [];
  /** The same with the host that was asked: `stopStandby db2`. */
  readonly calledOn: string[] = [];
  readonly written: Evidence[] = [];
  plan: Plan = structuredClone(plan);
  anchors: Anchor[] = [structuredClone(anchor)];
  restoredAnchor: Anchor = structuredClone(anchor);
  repository: Repository = {
    backups: [structuredClone(backup)],
    timelines: [
      {
        id: 1,
        ancestors: [],
        hasHistory: false,
        ranges: [{ first: '000000010000000000000001', last: '000000010000000000000009', count: 9 }],
      },
    ],
    segmentBytes: 16 * 1024 ** 2,
    oddities: [],
    systemIdentifier: '7',
  };
  primary: 'db1' | 'db2' = 'db1';
  timeline = 1;
  /** What a switchover changes. */
  readonly pair = new FakePair();
  /** What a failover sees and changes. */
  readonly failover = new FakeFailover(this.pair);
  /** The DNS name by which clients come. */
  readonly entry = new FakeEntry();
  /** What leads visitors to the application. */
  readonly visitors = new FakeVisitors();
  readonly network = new FakeNetwork();
  /** An application that somebody keeps, where the plan says so. */
  readonly kept = new FakeApplication();
  /** The cache, where the plan has one. */
  readonly cache = new FakeCache();
  /** Files that restic keeps, where the plan has any. */
  readonly files = new FakeFiles();
  /** What keeps the two, where the plan says so. */
  readonly patroni = new FakePatroni(this.pair);
  /** What a recovery has set aside. */
  readonly ledger = new FakeLedger();
  /** What a rebuild of the standby changes. */
  readonly rebuild = new FakeStandby(this.pair, this.ledger);
  /** What a recovery in place changes. */
  readonly recovery = new FakeRecovery(this.pair);
  faults: ContentFault[] = [];
  scratchThere = false;
  missingPulses = 0;
  /** What ended runs have left on the hosts, whose it is judged to be, what a dry run has shown. */
  lying: LeftoverFound[] = [];
  verdict: Leftover['verdict'] = 'left';
  shown: Leftover[] = [];
  /** The one signature that holds, whatever it signs. */
  signs = 'c2lnbmVk';
  /** What is removed does not go. */
  sticky = false;
  /** Hosts without a worker: they are not waited for, for the server of these tests does not skip time while people are asked. */
  silent: string[] = [];
  now = '2026-11-21T14:02:11.000000Z';
  archiving: Partial<Pick<ServiceMoment, 'lastArchivedWal' | 'archiver'>> = {
    lastArchivedWal: '000000010000000000000008',
  };
  workerAheadMs = 0;
  hostNow = this.now;
  /** Of what was replayed. */
  lastCommitAt = '2026-11-21T14:01:48.113Z';
  /** Of the host that takes the backup. */
  clockAheadMs = 0;
  /** What earlier runs of the same kind took. */
  earlier: EarlierRun[] = [];
  /** Another run that holds every lock. */
  holds: string | undefined;
  /** What the WAL shows, and what the catalogs know: the service's own, and a restored one at its target. */
  suspects: Suspect[] = [];
  live: Relations = { database: 5, relations: [], found: 'nothing known' };
  restored: (target: RecoveryTarget) => Relations = () => ({ database: 5, relations: [], found: 'nothing known' });
  /** How people are told. */
  post: ControlRecords['post'] = async () => ({ delivered: 'nowhere', found: 'this estate tells nobody' });
  /** Called with what an activity was asked. */
  seen: (activity: string, ask: object) => void = () => undefined;
  /** Called before an activity answers: throw to make it fail, wait to make it slow. */
  before: (activity: string) => Promise<void> | void = () => undefined;

  control(): ControlReads & ControlRecords {
    return noting<ControlReads & ControlRecords>(this, {
      loadPlan: async () => ({ plan: this.plan, sha256: 'ab12', file: 'orders.yaml', found: 'plan of orders' }),
      resolveSecrets: async ({ names }) => ({ found: `${names.length} secrets resolve` }),
      serviceMoment: async () => ({
        found: 'primary on timeline 1',
        at: this.now,
        workerAheadMs: this.workerAheadMs,
        timeline: this.timeline,
        lsn: '0/A000000',
        systemIdentifier: '7',
        serverVersion: 150018,
        segmentBytes: 16 * 1024 ** 2,
        checksums: true,
        ...this.archiving,
        collation: { provider: 'libc', version: '2.36' },
        extensions: [],
        tablespaces: [],
        slots: ['db2'],
        ownSessions: ['lifeboat-pulse'],
      }),
      members: async () => ({
        found: `primary ${this.primary}`,
        members: (['db1', 'db2'] as const).map((host) => ({
          host,
          role: this.#roleOf(host),
          timeline: this.pair.servers[host].timeline,
        })),
      }),
      storeAnswers: async () => ({ found: 'bucket evidence answers' }),
      listAnchors: async () => ({ found: `${this.anchors.length} anchors`, anchors: this.anchors }),
      comparePulses: async () => ({
        found: '402 of 402',
        acknowledged: 402,
        missing: this.missingPulses,
        examples: this.missingPulses > 0 ? [17] : [],
        newest: { number: 402, at: '2026-11-21T14:01:48.000000Z', lsn: '0/8FFFF00' },
        lost: 23,
      }),
      lastProven: async () => ({}),
      earlierRuns: async () => ({ runs: this.earlier, found: `${this.earlier.length} earlier runs` }),
      ownCommit: async () => ({ found: 'its own commit' }),
      noLiveRun: async () => ({ found: 'no live recovery' }),
      lockHolder: async () => ({ free: false, holder: 'orders-0001', runbook: 'monthlyDrill', since: 'a minute ago' }),
      holdsLock: async () =>
        this.holds === undefined
          ? { held: true }
          : { held: false, other: { holder: this.holds, runbook: 'backup', since: 'a minute ago' } },
      tracesOfEnded: async () => ({ found: 'no run was ended early', traces: [] }),
      judgeLeftovers: async ({ found }) => ({
        found: `${found.length} left`,
        leftovers: found.map((one) => ({ ...one, verdict: this.verdict, why: 'its run has ended' })),
      }),
      shownBy: async () => ({ found: 'shown', leftovers: this.shown }),
      somebodyPolls: async ({ queue }) => ({ polls: !this.silent.some((host) => queue.endsWith(host)), found: queue }),
      verifySignature: async ({ signature }) => ({ found: 'looked at', holds: signature.value === this.signs }),
      ...this.pair.reads(),
      ...this.failover.reads(),
      ...this.patroni.reads(),
      ...this.ledger.reads(),
      ...this.entry.reads(),
      ...this.visitors.reads(),
      ...this.network.reads(),
      ...this.cache.reads(),
      liveRelations: async () => this.live,
      previewTraffic: async () => ({ found: 'db1 serves; db2 would' }),
      writeEvidence: async ({ evidence }) => {
        this.written.push(evidence);
        return { found: 'written', location: `s3://evidence/${evidence.run}`, sha256: 'cd34' };
      },
      saveAnchor: async ({ anchor: taken }) => {
        this.anchors.unshift(taken);
        return { found: 'kept', location: 's3://evidence/anchor' };
      },
      post: (ask) => this.post(ask),
    });
  }

  #roleOf(host: 'db1' | 'db2') {
    if (!this.pair.servers[host].running) return 'unknown';
    return host === (this.pair.servers.db2.role === 'primary' ? 'db2' : this.primary) ? 'primary' : 'standby';
  }

  controlChanges(): ControlChanges {
    return noting<ControlChanges>(this, {
      ...this.pair.changes(),
      ...this.entry.changes(),
      ...this.visitors.changes(),
      ...this.cache.changes(),
      ...this.patroni.changes(),
    });
  }

  hostReads(): HostReads {
    return noting<HostReads>(this, {
      ...this.pair.hostReads(),
      ...this.failover.hostReads(),
      ...this.patroni.hostReads(),
      ...this.rebuild.reads(),
      ...this.ledger.hostReads(),
      ...this.recovery.hostReads(),
      ...this.kept.reads(),
      ...this.cache.hostReads(),
      ...this.files.reads(),
      howItStands: async (ask) => {
        if (this.silent.includes(ask.member.host)) throw failure('HostSilent', `no worker on ${ask.member.host}`);
        return this.pair.hostReads().howItStands(ask);
      },
      hostFacts: async () => ({
        found: 'ready',
        at: this.hostNow,
        serverVersion: 150018,
        libc: '2.36',
        freeBytes: 100 * GB,
      }),
      repository: async () => ({ ...this.repository, found: '1 backup, timeline 1' }),
      segmentSize: async () => ({ segmentBytes: 16 * 1024 ** 2, found: 'a segment' }),
      readSegments: async ({ segments }) => ({
        read: segments.length,
        faults: this.faults,
        promotions: [],
        found: 'segments read',
      }),
      newestCommit: async () => ({
        found: 'commit at 0/8FFFF00',
        lsn: '0/8FFFF00',
        at: '2026-11-21T14:01:48.113Z',
        segment: '000000010000000000000008',
        transaction: 736,
      }),
      leftovers: async ({ host }) => ({
        found: 'looked',
        leftovers: this.lying.filter((one) => one.host === host),
      }),
      segmentsBetween: async ({ segments }) => ({ segments, whole: true, looked: 4, found: 'segments of that time' }),
      searchWal: async () => ({
        suspects: this.suspects,
        leftOut: 0,
        read: 9,
        transactions: 120,
        tookMs: 900,
        found: '9 segments read',
      }),
      roomFor: async () => ({ found: 'room enough', freeBytes: 100 * GB }),
      litter: async () => {
        if (this.scratchThere) throw new Error('the scratch server is still there');
        return { found: 'nothing left' };
      },
    });
  }

  hostChanges(): HostChanges {
    const end = {
      found: 'paused',
      lsn: '0/8FFFF48',
      timeline: 1,
      lastCommitAt: this.lastCommitAt,
      nextTransaction: 800,
    };
    return noting<HostChanges>(this, {
      ...this.pair.hostChanges(),
      ...this.failover.hostChanges(),
      ...this.rebuild.changes(),
      ...this.recovery.hostChanges(),
      ...this.ledger.hostChanges(),
      ...this.kept.changes(),
      ...this.cache.hostChanges(),
      ...this.files.changes(),
      replaceDirectory: (ask) => {
        this.ledger.setAside(ask.setAside);
        return this.recovery.hostChanges().replaceDirectory(ask);
      },
      restoreBeside: async ({ scratch, bytes }) => {
        this.recovery.restored(scratch);
        this.scratchThere = true;
        return { found: 'restored', bytes };
      },
      replayTo: async ({ scratch, target }) => this.recovery.replayed(scratch, target) ?? end,
      relationsAt: async ({ target }) => this.restored(target),
      endOfRecovery: async ({ scratch }) => this.recovery.end(scratch) ?? end,
      fingerprints: async () => ({ found: 'fingerprints', tables: this.restoredAnchor.tables }),
      pulsesRestored: async () => ({ found: '402 pulses', intervals: [[1, 402]] }),
      runAssertions: async () => ({ found: '1 of 1 holds' }),
      promoteScratch: async ({ scratch }) => ({
        found: 'promoted',
        timeline: this.recovery.promoted(scratch) ?? 2,
      }),
      smoke: async () => ({ found: 'an order was placed and paid' }),
      checkIndexes: async () => ({ found: '12 indexes' }),
      checkConstraints: async () => ({ found: '9 constraints' }),
      checkPages: async () => ({ found: '131,072 pages' }),
      removeScratch: async ({ scratch }) => {
        this.recovery.removed(scratch);
        this.scratchThere = false;
        return { found: 'removed' };
      },
      removeLeftovers: async ({ leftovers }) => {
        if (!this.sticky)
          this.lying = this.lying.filter((one) => leftovers.every(({ identity }) => identity !== one.identity));
        return { found: 'gone' };
      },
      takeBackup: async () => ({
        found: 'backup taken',
        backup: structuredClone(backup),
        clockAheadMs: this.clockAheadMs,
      }),
      anchorOnStandby: async () => ({ found: 'anchor on standby', anchor: structuredClone(anchor) }),
      anchorUnderLock: async () => ({
        found: 'anchor under lock',
        anchor: { ...structuredClone(anchor), source: 'primary db1, under a SHARE lock' },
      }),
    });
  }
}

interface Asked {
  member?: { host: string };
  scratch?: { host: string };
  server?: { host: string };
}

/** Each call is noted, and may be made to fail, before it is answered. */
function noting<A extends object>(estate: FakeEstate, fakes: A): A {
  const noted = Object.entries(fakes).map(([name, answer]) => [
    name,
    async (ask: Asked) => {
      estate.calls.push(name);
      estate.seen(name, ask);
      estate.calledOn.push(`${name} ${ask.member?.host ?? ask.scratch?.host ?? ask.server?.host ?? ''}`.trim());
      await estate.before(name);
      return answer(ask);
    },
  ]);
  return Object.fromEntries(noted);
}
