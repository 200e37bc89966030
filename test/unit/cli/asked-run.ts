/** A run that waits for people, as its evidence tells it. */

import type { Evidence } from '../../../evidence/evidence.ts';
import type { AbortPlan, Approval, Click, Decision } from '../../../evidence/people.ts';
import { evidence } from './stage.ts';

export function click(over: Partial<Click> = {}): Click {
  return {
    at: '2026-11-21T14:03:02.000Z',
    kind: 'approve',
    by: 'ana',
    channel: 'cli',
    signed: 'person',
    counted: true,
    said: 'Counted: 1 of 2.',
    latencyMs: 51_000,
    ...over,
  };
}

export function approval(over: Partial<Approval> = {}): Approval {
  return {
    id: 'database/switch-the-primary',
    name: 'Switch the primary',
    rule: 'switch-the-primary',
    round: 1,
    subject: { from: 'db1', to: 'db2', timeline: 3 },
    shown: { lag: '0 B' },
    hash: '3f'.repeat(32),
    nonce: '6a8d9c1e-0000-4000-8000-000000000001',
    code: '7K3M9QXZ',
    quorum: 2,
    asked: [
      {
        group: 'dba',
        people: ['ana', 'ben', 'cara'],
        since: '2026-11-21T14:02:11.000Z',
        until: '2026-11-21T14:17:11.000Z',
      },
    ],
    alternatives: { later: { label: 'Switch later', wants: 'time' } },
    openedAt: '2026-11-21T14:02:11.000Z',
    clicks: [],
    ...over,
  };
}

export function decision(over: Partial<Decision> = {}): Decision {
  return {
    step: 'database/demote-db1',
    name: 'Demote db1',
    attempt: 1,
    code: 'D3C1S10N',
    failure: { type: 'HostSilent', message: 'no host worker answers on db1' },
    offers: ['retry', 'abort'],
    asked: [
      { group: 'dba', people: ['ana', 'ben'], since: '2026-11-21T14:05:00.000Z', until: '2026-11-21T22:05:00.000Z' },
    ],
    openedAt: '2026-11-21T14:05:00.000Z',
    clicks: [],
    ...over,
  };
}

export const abortPlan: AbortPlan = {
  code: 'AB0RT123',
  stops: ['Wait until db2 has replayed all'],
  undoes: [
    { name: 'Stop the old primary', will: 'start db1 again as the primary' },
    { name: 'Close the front door', will: 'open it again to db1' },
  ],
  stays: [{ name: 'Checkpoint on db1', why: 'nothing was changed by it' }],
};

/** A live switchover that asks. */
export function asking(over: Partial<Evidence> = {}): Evidence {
  return evidence({ runbook: 'switchover', title: 'Switchover', mode: 'live', approvals: [approval()], ...over });
}
