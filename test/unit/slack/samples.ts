import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval, Decision } from '../../../evidence/people.ts';

export function evidenceWith(more: Partial<Evidence> = {}): Evidence {
  return {
    schema: 'lifeboat.evidence/1',
    lifeboatVersion: '0.1.0',
    run: 'orders-7f3a',
    runId: '5f0c9c0e-0000-4000-8000-000000000001',
    runbook: 'switchover',
    title: 'Switchover',
    service: 'orders',
    mode: 'live',
    requestedBy: 'ana',
    input: {},
    plan: { sha256: 'a'.repeat(64), file: '/etc/lifeboat/orders.yaml' },
    startedAt: '2026-11-21T14:00:00.000Z',
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: 14_400_000, rpoMs: 300_000 },
    rto: { how: 'not yet' },
    rpo: { how: 'not yet' },
    phases: [
      { name: 'assessment', budgetMs: 900_000, peopleMs: 0, retriesMs: 0, startedAt: '2026-11-21T14:00:00.000Z' },
      { name: 'database', budgetMs: 900_000, peopleMs: 0, retriesMs: 0 },
    ],
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
    ...more,
  };
}

export function approvalWith(more: Partial<Approval> = {}): Approval {
  return {
    id: 'database/switch-the-primary',
    name: 'Switch the primary',
    rule: 'default',
    round: 1,
    subject: { from: 'db1', to: 'db2', timeline: 1 },
    shown: { lag: '0 bytes' },
    hash: 'b'.repeat(64),
    nonce: '1c2d3e4f-0000-4000-8000-000000000002',
    code: 'K7QM2XPA',
    quorum: 2,
    asked: [
      { group: 'dba', people: ['ben', 'cara'], since: '2026-11-21T14:01:00.000Z', until: '2026-11-21T14:16:00.000Z' },
    ],
    alternatives: {},
    openedAt: '2026-11-21T14:01:00.000Z',
    clicks: [],
    ...more,
  };
}

export function decisionWith(more: Partial<Decision> = {}): Decision {
  return {
    step: 'database/archiving-works',
    name: 'Archiving works',
    attempt: 1,
    code: 'M3NB8TRW',
    failure: { type: 'ArchiveUnreachable', message: 'the store does not answer. Look whether it is up, then retry.' },
    offers: ['retry', 'skip', 'abort'],
    asked: [
      { group: 'dba', people: ['ana', 'ben'], since: '2026-11-21T14:01:00.000Z', until: '2026-11-21T22:01:00.000Z' },
    ],
    openedAt: '2026-11-21T14:01:00.000Z',
    clicks: [],
    ...more,
  };
}
