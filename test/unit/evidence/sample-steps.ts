/** Steps and phases of a made-up drill, from which samples of evidence are put together. */
import type { Phase, PhaseRecord, Step } from '../../../evidence/evidence.ts';

const begin = Date.parse('2026-11-21T14:02:11.204Z');
export const minute = 60_000;
export const at = (ms: number): string => new Date(begin + ms).toISOString();
const host = ['host-db2@41877'];
const control = ['control@ops1:40211'];

type Made = Partial<Step> & Pick<Step, 'name' | 'group' | 'kind'>;

/** A step from `from` for `took` milliseconds after the run's start. */
export function step(from: number, took: number, made: Made): Step {
  const slug = made.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return {
    id: `${made.group}/${slug}`,
    state: 'done',
    startedAt: at(from),
    endedAt: at(from + took),
    attempts: 1,
    workers: made.group === 'assessment' || made.group === 'traffic' ? control : host,
    ...made,
  };
}

const budgets: Record<Phase, number> = {
  assessment: 15 * minute,
  database: 45 * minute,
  application: 60 * minute,
  validation: 60 * minute,
  traffic: 60 * minute,
};

export function phase(name: Phase, from?: number, to?: number, more: Partial<PhaseRecord> = {}): PhaseRecord {
  return {
    name,
    budgetMs: budgets[name],
    peopleMs: 0,
    retriesMs: 0,
    ...(from === undefined ? {} : { startedAt: at(from) }),
    ...(to === undefined ? {} : { endedAt: at(to) }),
    ...more,
  };
}

export const assessment: Step[] = [
  step(180, 220, {
    name: 'The service answers through its front door',
    group: 'assessment',
    kind: 'check',
    found: 'db1 is the primary on timeline 1 at 0/5C8D1F0; last archived segment 000000010000000000000059',
    expected: 'a primary behind the front door',
  }),
  step(410, 30, { name: 'No live recovery is going on', group: 'assessment', kind: 'check', found: 'none of orders' }),
  step(450, 20, {
    name: 'The secrets of the plan resolve',
    group: 'assessment',
    kind: 'check',
    found: '3 secrets resolve',
  }),
  step(480, 160, {
    name: 'The evidence store answers',
    group: 'assessment',
    kind: 'check',
    found: 'bucket evidence answers',
    attempts: 2,
  }),
  step(650, 310, {
    name: 'The drill host is ready',
    group: 'assessment',
    kind: 'check',
    found: 'PostgreSQL 15.18, C library 2.36, 212 GB free',
    workers: host,
  }),
  step(970, 420, {
    name: 'The newest backup is complete and young enough',
    group: 'assessment',
    kind: 'check',
    found: 'backup 20261121-135502F complete, 7 min old, 1.1 GB',
    expected: 'a complete backup at most 1 d 6 h old',
    workers: host,
  }),
  step(1400, 880, {
    name: 'Every WAL segment from the backup to T0 is in the archive',
    group: 'assessment',
    kind: 'check',
    found: '44 of 44 WAL segments, timeline 1, no gap',
    expected: 'every segment from 00000001000000000000002E to 000000010000000000000059',
    workers: host,
  }),
  step(2300, 540, {
    name: 'An anchor lies between the backup and the target',
    group: 'assessment',
    kind: 'check',
    found: '2 tables at 0/59E1A40, 2026-11-21T13:55:09.000Z, standby db2, replay paused',
  }),
];

export const database: Step[] = [
  step(3050, 8900, {
    name: 'Restore the backup beside',
    group: 'database',
    kind: 'change',
    preview:
      'restore backup 20261121-135502F (1.1 GB) into /var/lib/lifeboat/scratch/orders-7f3a on db2; nothing live is touched',
    found: 'restored 1.1 GB',
    log: {
      host: 'db2',
      path: '/var/lib/lifeboat/scratch/orders-7f3a/log/restore.log',
      lastLines: [
        'P00   INFO: write updated /var/lib/lifeboat/scratch/orders-7f3a/data/postgresql.auto.conf',
        'P00   INFO: restore global/pg_control (performed last to ensure aborted restores cannot be started)',
        'P00   INFO: restore size = 1.1GB, file total = 1304',
        'P00   INFO: restore command end: completed successfully (8713ms)',
      ],
    },
  }),
  step(11_980, 2300, {
    name: 'Replay to the anchor',
    group: 'database',
    kind: 'change',
    preview: 'replay WAL on timeline 1 to the anchor at 0/59E1A40, and pause there',
    found: 'paused at 0/59E1A40',
  }),
  step(14_300, 610, {
    name: 'The critical tables equal their anchor',
    group: 'database',
    kind: 'prove',
    found: 'public.orders, public.payments equal the standby db2 at 0/59E1A40',
    expected: 'the fingerprints taken at 2026-11-21T13:55:09.000Z',
  }),
  step(14_950, 6200, {
    name: 'Roll forward to the target',
    group: 'database',
    kind: 'change',
    preview: 'replay WAL on timeline 1 to the target, and pause there',
    found: 'rolled forward to 0/5A3F2C8, newest archived point; last commit 14:01:48.113Z',
  }),
  step(21_200, 900, {
    name: 'Promote the throw-away server',
    group: 'database',
    kind: 'change',
    preview: 'promote the throw-away server, which archives nothing, for the second stage of proof',
    found: 'promoted to timeline 2',
  }),
];

export const afterwards: Step[] = [
  step(22_250, 2100, {
    name: 'The application works on the restored database',
    group: 'application',
    kind: 'prove',
    found: 'an order was placed and paid, and read back',
  }),
  step(24_500, 400, {
    name: 'All acknowledged pulses up to the target are there',
    group: 'validation',
    kind: 'prove',
    found: '402 of 402 acknowledged pulse writes, none missing',
    expected: 'none missing',
  }),
  step(24_950, 6700, {
    name: 'Indexes agree with their tables',
    group: 'validation',
    kind: 'prove',
    found: '14 indexes, checked down to their parents',
  }),
  step(31_700, 2400, {
    name: 'Constraints hold for every row',
    group: 'validation',
    kind: 'prove',
    found: '9 of 9 constraints hold',
  }),
  step(34_150, 2100, {
    name: 'Page checksums are right',
    group: 'validation',
    kind: 'prove',
    found: '144,712 pages, no bad checksum',
  }),
  step(36_320, 90, {
    name: 'What would be moved',
    group: 'traffic',
    kind: 'check',
    found: 'db1 serves orders now; db2 would',
  }),
];

export const closing: Step[] = [
  step(36_500, 700, {
    name: 'Undo: Restore the backup beside',
    group: 'closing',
    kind: 'undo',
    found: 'server stopped, /var/lib/lifeboat/scratch/orders-7f3a removed',
  }),
  step(37_250, 60, {
    name: 'Nothing is left on the drill host',
    group: 'closing',
    kind: 'prove',
    found: 'no process, no directory of this run',
  }),
];
