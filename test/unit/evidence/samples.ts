/** Evidence of made-up runs, in every state that a reader can meet. */
import { type Evidence, evidenceSchema, type Failure, phases, type Step } from '../../../evidence/evidence.ts';
import { notMeasuredYet, settleEvidence } from '../../../evidence/outcome.ts';
import { afterwards, assessment, at, closing, database, minute, phase, step } from './sample-steps.ts';

const unmeasured = (objectiveMs: number) => ({ objectiveMs, how: notMeasuredYet });

/** A drill before its first step. */
function blank(): Evidence {
  return {
    schema: evidenceSchema,
    lifeboatVersion: '0.1.0',
    run: 'orders-7f3a',
    runId: '0195f0a1-7d3c-7b52-9a55-2f6f4f1c9e01',
    runbook: 'monthly-drill',
    title: 'Monthly drill',
    service: 'orders',
    mode: 'drill',
    requestedBy: 'ada@ops1',
    input: { service: 'orders' },
    plan: {
      sha256: '3c91e0f2a0b6a5f1a3b5d0f2c5b8f4ae7d1a9b7c6e5d4f3a2b1c0d9e8f7a6b5c',
      file: '/etc/lifeboat/plans/orders.yaml',
    },
    startedAt: at(0),
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: 60 * minute, rpoMs: 5 * minute },
    rto: unmeasured(60 * minute),
    rpo: unmeasured(5 * minute),
    phases: phases.map((name) => phase(name)),
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
  };
}

function assessed(): Evidence {
  return {
    ...blank(),
    incidentAt: '2026-11-21T14:02:11.392117Z',
    isolatedOn: 'db2',
    backup: { label: '20261121-135502F', type: 'full', stoppedAt: '2026-11-21T13:55:08Z', bytes: 1_103_622_144 },
    target: { lsn: '0/5A3F2C8', timeline: 1, at: '2026-11-21T14:01:48.113Z', chosenBy: 'archive' },
    notExercised: [{ what: 'swap' }, { what: 'traffic', lastProven: '2026-09-05T02:14:00Z' }, { what: 'people' }],
    measurements: [
      {
        name: 'segments',
        value: 44,
        unit: 'segments',
        how: 'WAL segments from the start of the backup to the target, all in the archive',
      },
    ],
    steps: structuredClone(assessment),
  };
}

function ended(evidence: Evidence, outcome: Evidence['outcome'], after: number): Evidence {
  settleEvidence(evidence);
  evidence.outcome = outcome;
  evidence.endedAt = at(after);
  for (const one of evidence.phases) if (one.startedAt !== undefined) one.endedAt ??= evidence.endedAt;
  return evidence;
}

/** A drill that proved everything it set out to prove. */
export function proven(): Evidence {
  return ended(
    {
      ...assessed(),
      rpo: {
        valueMs: 23_279,
        objectiveMs: 5 * minute,
        how: '23 pulse writes, one a second, newer than what the archive held at 14:02:11Z; the newest that came back is of 14:01:48Z',
      },
      equality: {
        lsn: '0/59E1A40',
        timeline: 1,
        at: '2026-11-21T13:55:09.000Z',
        source: 'standby db2, replay paused',
        transactionsAfter: 3112,
        tables: [
          {
            table: 'public.orders',
            rows: 212_004,
            fingerprint: '-88214409120391847712',
            equal: true,
            expectedRows: 212_004,
          },
          {
            table: 'public.payments',
            rows: 198_551,
            fingerprint: '40281990127733109',
            equal: true,
            expectedRows: 198_551,
          },
        ],
      },
      phases: [
        phase('assessment', 150, 2900, { retriesMs: 110 }),
        phase('database', 3000, 22_150),
        phase('application', 22_200, 24_400),
        phase('validation', 24_450, 36_280),
        phase('traffic', 36_300, 36_420, { note: 'not moved in a drill' }),
      ],
      steps: structuredClone([...assessment, ...database, ...afterwards, ...closing]),
      measurements: [
        ...assessed().measurements,
        {
          name: 'restored',
          value: 1_103_622_144,
          unit: 'bytes',
          how: 'size of the restored data directory, from pgBackRest',
        },
        { name: 'restore', value: 8900, unit: 'ms', how: 'from the start of the restore to its last verified file' },
        { name: 'replay', value: 6200, unit: 'ms', how: 'from the anchor (or the restore) to the pause at the target' },
        {
          name: 'pulse writes',
          value: 402,
          unit: 'count',
          how: 'acknowledged since 2026-11-21T13:55:02Z, one a second, with an LSN up to 0/5A3F2C8',
        },
      ],
    },
    'proven',
    37_400,
  );
}

/** A drill that is in the middle of its restore. */
export function running(): Evidence {
  const [restore] = structuredClone(database);
  if (restore === undefined) throw new Error('the samples have no restore');
  const { endedAt: _ended, found: _found, log: _log, ...going } = restore;
  return {
    ...assessed(),
    phases: [
      phase('assessment', 150, 2900, { retriesMs: 110 }),
      phase('database', 3000),
      phase('application'),
      phase('validation'),
      phase('traffic'),
    ],
    steps: [...structuredClone(assessment), { ...going, state: 'running' }],
  };
}

/** A drill whose backup was damaged in the store. */
export function notProven(): Evidence {
  const [restore] = structuredClone(database);
  if (restore === undefined) throw new Error('the samples have no restore');
  const { found: _found, ...rest } = restore;
  const failure: Failure = {
    type: 'BackupCorrupt',
    message:
      'base/16401/16423 (12.6 MB) of backup 20261121-135502F does not match its checksum: expected sha1 9b1c51…, found 40e7a2…. The stored copy was changed after the backup was taken. Take a new full backup, and keep this one for inquiry.',
    step: restore.id,
  };
  return ended(
    {
      ...assessed(),
      failure,
      phases: [
        phase('assessment', 150, 2900),
        phase('database', 3000),
        phase('application'),
        phase('validation'),
        phase('traffic'),
      ],
      steps: [
        ...structuredClone(assessment),
        {
          ...rest,
          state: 'failed',
          endedAt: at(9100),
          failure,
          log: {
            host: 'db2',
            path: '/var/lib/lifeboat/scratch/orders-7f3a/log/restore.log',
            lastLines: [
              "P01  ERROR: [095]: error restoring '/var/lib/lifeboat/scratch/orders-7f3a/data/base/16401/16423': actual checksum does not match expected checksum",
              'P00   INFO: restore command end: aborted with exception [095]',
            ],
          },
        },
        ...structuredClone(closing),
      ],
    },
    'not-proven',
    10_050,
  );
}

/** What a drill would do, with nothing done. */
export function dryRun(): Evidence {
  const planned = (made: Step): Step => {
    if (made.kind === 'check') return made;
    const { found: _found, log: _log, expected: _expected, attempts: _attempts, workers: _workers, ...rest } = made;
    return { ...rest, state: made.kind === 'change' ? 'previewed' : 'listed', startedAt: at(3000), endedAt: at(3000) };
  };
  return ended(
    {
      ...assessed(),
      mode: 'dry-run',
      input: { service: 'orders', mode: 'dry-run' },
      phases: [
        phase('assessment', 150, 2900),
        phase('database', 2950, 3000),
        phase('application', 3000, 3000),
        phase('validation', 3000, 3010),
        phase('traffic', 3010, 3100),
      ],
      steps: structuredClone([...assessment, ...database, ...afterwards]).map(planned),
    },
    'previewed',
    3200,
  );
}

/** A dry run that met a failure before it came to its end. */
export function failedDryRun(): Evidence {
  const failure: Failure = { type: 'BackupMissing', message: 'stanza orders has no backup. Take one.' };
  return ended(
    { ...assessed(), mode: 'dry-run', input: { service: 'orders', mode: 'dry-run' }, failure },
    'not-proven',
    3200,
  );
}

/** A full backup with its anchor. */
export function backup(): Evidence {
  const start = blank();
  return ended(
    {
      ...start,
      run: 'orders-19c2',
      runbook: 'backup',
      title: 'Backup',
      mode: 'live',
      input: { service: 'orders', type: 'full', mode: 'live' },
      phases: [phase('assessment', 100, 900), phase('database', 950, 21_500)],
      backup: { label: '20261121-140213F', type: 'full', stoppedAt: at(18_900), bytes: 1_103_622_144 },
      steps: [
        step(120, 240, {
          name: 'One member is the primary',
          group: 'assessment',
          kind: 'check',
          found: 'primary db1, standby db2',
        }),
        step(1000, 17_900, {
          name: 'Take a full backup',
          group: 'database',
          kind: 'change',
          preview: 'take a full backup of db1 into stanza orders',
          found: 'backup 20261121-140213F complete (1.1 GB restored)',
          workers: ['host-db1@41802'],
        }),
        step(18_950, 2400, {
          name: 'Take an anchor on standby db2, without locks',
          group: 'database',
          kind: 'change',
          preview: 'fingerprint orders, payments at one LSN and keep it with the evidence',
          found: '2 tables at 0/6B00148, standby db2, replay paused for 0.9 s',
        }),
      ],
      measurements: [
        {
          name: 'bytes backed up',
          value: 1_103_622_144,
          unit: 'bytes',
          how: 'size of the restored database, from pgBackRest',
        },
        { name: 'bytes in the repository', value: 402_119_281, unit: 'bytes', how: 'from pgBackRest' },
        { name: 'tables in the anchor', value: 2, unit: 'count', how: 'standby db2, replay paused' },
      ],
    },
    'completed',
    21_600,
  );
}

/** A drill that somebody cancelled. */
export function aborted(): Evidence {
  const evidence = running();
  for (const one of evidence.steps)
    if (one.state === 'running') {
      one.state = 'cancelled';
      one.endedAt = at(6000);
      one.failure = { type: 'Cancelled', message: 'The run was cancelled.', step: one.id };
    }
  evidence.failure = { type: 'Cancelled', message: 'The run was cancelled.' };
  evidence.steps.push(...structuredClone(closing));
  return ended(evidence, 'aborted', 7000);
}

/** A drill that is proven, but late, beyond its RPO, and dirty. */
export function flagged(): Evidence {
  const evidence = proven();
  evidence.objectives = { rtoMs: 30_000, rpoMs: 10_000 };
  evidence.objectives.classes = [{ name: 'money', tables: ['payments', 'accounts'], rtoMs: 60_000, rpoMs: 30_000 }];
  evidence.rpo.objectiveMs = 10_000;
  evidence.leftBehind = ['Undo of "Restore the backup beside": /var/lib/lifeboat/scratch/orders-7f3a is still there'];
  delete evidence.equality;
  return ended(evidence, 'proven', 37_400);
}

export const samples: Record<string, () => Evidence> = {
  proven,
  running,
  notProven,
  dryRun,
  failedDryRun,
  backup,
  aborted,
  flagged,
  opening: blank,
};
