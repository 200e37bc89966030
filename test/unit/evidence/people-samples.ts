/** Evidence of made-up switchovers, which ask people, in every state that a reader can meet. */
import type { Evidence, Step } from '../../../evidence/evidence.ts';
import { settleEvidence } from '../../../evidence/outcome.ts';
import type { Approval, Click, Decision } from '../../../evidence/people.ts';

const begin = Date.parse('2026-11-21T14:02:11.204Z');
const minute = 60_000;
const at = (ms: number): string => new Date(begin + ms).toISOString();

function step(from: number, took: number, made: Partial<Step> & Pick<Step, 'name' | 'group' | 'kind'>): Step {
  const slug = made.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return { id: `${made.group}/${slug}`, state: 'done', startedAt: at(from), endedAt: at(from + took), ...made };
}

function click(from: number, over: Partial<Click>): Click {
  return {
    at: at(from),
    kind: 'approve',
    by: 'ana',
    channel: 'cli',
    signed: 'person',
    counted: true,
    said: 'Counted: 1 of 2.',
    latencyMs: from - 4_000,
    ...over,
  };
}

const clicks: Click[] = [
  click(9_000, {
    by: 'dora',
    channel: 'temporal-ui',
    signed: 'no',
    counted: false,
    said: 'Dora is not in dba: Ana, Ben and Cara can answer.',
  }),
  click(52_000, { by: 'ana' }),
  click(70_000, {
    by: 'cara',
    kind: 'reject',
    reason: 'the backup is 9 h old',
    said: 'Your no counts (1 so far).',
    channel: 'slack',
    signed: 'gateway',
  }),
  click(81_000, {
    by: 'ben',
    signed: 'forged',
    counted: false,
    said: 'Not counted: the signature does not fit what was said.',
  }),
  click(190_000, { by: 'ben', said: 'Counted: 2 of 2.' }),
];

function approval(over: Partial<Approval> = {}): Approval {
  return {
    id: 'assessment/switch-the-primary',
    name: 'Switch the primary',
    rule: 'switch-the-primary',
    round: 1,
    subject: { from: 'db1', to: 'db2', timeline: 3, 'system identifier': '7710621364788803446' },
    shown: { lag: '0 B', 'last backup': '20261121-050213F, 9 h ago', 'writes stop for': 'about 1.3 s' },
    hash: '3f9a'.repeat(16),
    nonce: '6a8d9c1e-51f0-4b0e-9d0a-2f7f2d0c9a11',
    code: '7K3M9QXZ',
    quorum: 2,
    asked: [{ group: 'dba', people: ['ana', 'ben', 'cara'], since: at(4_000), until: at(4_000 + 15 * minute) }],
    alternatives: {},
    openedAt: at(4_000),
    clicks: [],
    ...over,
  };
}

const given = approval({
  closedAt: at(190_100),
  outcome: 'approved',
  chosen: { choice: 'approve' },
  why: 'by Ana and Ben',
  clicks,
});

const decided: Decision = {
  step: 'database/the-old-primary-follows',
  name: 'The old primary follows',
  attempt: 1,
  code: 'D3C1S10N',
  failure: { type: 'HostSilent', message: 'no host worker has answered on db1 for 2 min: start lifeboat-host there' },
  offers: ['retry', 'skip', 'abort'],
  asked: [
    { group: 'dba', people: ['ana', 'ben', 'cara'], since: at(200_000), until: at(200_000 + 480 * minute) },
    {
      group: 'incident-commander',
      people: ['ana', 'ben', 'cara', 'dora'],
      since: at(800_000),
      until: at(200_000 + 480 * minute),
    },
  ],
  openedAt: at(200_000),
  closedAt: at(900_000),
  action: 'retry',
  by: 'dora',
  reason: 'the worker is back',
  clicks: [
    click(900_000, {
      kind: 'decide',
      choice: 'retry',
      by: 'dora',
      reason: 'the worker is back',
      said: 'It is tried again.',
      latencyMs: 700_000,
    }),
  ],
};

const steps: Step[] = [
  step(400, 600, {
    name: 'The standby streams, and lags by nothing',
    group: 'assessment',
    kind: 'check',
    found: 'db2 streams on timeline 3, 0 B behind',
    expected: 'at most 16 MB behind',
  }),
  step(1_100, 2_800, {
    name: 'Checkpoint on the primary',
    group: 'assessment',
    kind: 'change',
    preview: 'write a checkpoint on db1, so that it stops fast',
    found: 'checkpoint at 0/14A3C2F8',
    takesMs: 2_000,
  }),
  step(4_000, 186_100, {
    name: 'Switch the primary',
    group: 'assessment',
    kind: 'approval',
    found: 'approved after 3 min 6 s, by Ana and Ben',
  }),
  step(190_200, 300, {
    name: 'Close the front door',
    group: 'database',
    kind: 'change',
    preview: 'let no session through to db1',
    found: 'closed, and a write through it was refused',
    takesMs: 200,
  }),
  step(190_500, 900, {
    name: 'Promote the standby',
    group: 'database',
    kind: 'change',
    preview: 'promote db2 to timeline 4',
    found: 'db2 is the primary, on timeline 4',
  }),
];

function whole(over: Partial<Evidence>): Evidence {
  return {
    schema: 'lifeboat.evidence/1',
    lifeboatVersion: '0.1.0',
    run: 'orders-5c1e',
    runId: '0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b',
    runbook: 'switchover',
    title: 'Switchover',
    service: 'orders',
    mode: 'live',
    requestedBy: 'dora',
    requester: { person: 'dora', certain: true, how: 'signed by Dora' },
    input: { service: 'orders', mode: 'live' },
    plan: { sha256: 'ab'.repeat(32), file: '/etc/lifeboat/plans/orders.yaml' },
    startedAt: at(0),
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: 240 * minute, rpoMs: 5 * minute },
    rto: { objectiveMs: 240 * minute, how: 'not measured yet' },
    rpo: { objectiveMs: 5 * minute, how: 'not measured yet' },
    phases: [
      { name: 'assessment', budgetMs: 15 * minute, startedAt: at(300), peopleMs: 0, retriesMs: 0 },
      { name: 'database', budgetMs: 45 * minute, peopleMs: 0, retriesMs: 0 },
    ],
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
    ...over,
  };
}

/** It has asked, and one of two has said yes. */
export function waiting(): Evidence {
  const [first, second, asked] = structuredClone(steps);
  if (first === undefined || second === undefined || asked === undefined) throw new Error('the samples have no steps');
  const { endedAt: _ended, found: _found, ...open } = asked;
  return whole({
    steps: [first, second, { ...open, state: 'running' }],
    approvals: [approval({ clicks: structuredClone(clicks.slice(0, 2)) })],
    forecast: { at: at(60_000), endsAt: at(20 * minute), lateByMs: 12 * minute, how: '3 earlier runs' },
    posts: [
      { key: 'start', at: at(300), kind: 'start', headline: 'Switchover of orders has started', delivered: 'slack' },
    ],
  });
}

/** A step has failed, and waits for somebody to decide. */
export function undecided(): Evidence {
  const { closedAt: _closed, action: _action, by: _by, reason: _reason, ...open } = structuredClone(decided);
  return whole({
    steps: structuredClone(steps),
    approvals: [structuredClone(given)],
    decisions: [{ ...open, clicks: [] }],
  });
}

/** It was approved, one step was decided about, and it came to its good end. */
export function switched(): Evidence {
  const evidence = whole({
    steps: structuredClone(steps),
    approvals: [
      approval({
        code: '0LD0LD00',
        outcome: 'void',
        openedAt: at(3_000),
        closedAt: at(4_000),
        why: 'the facts have changed: to was db3',
      }),
      structuredClone(given),
    ],
    decisions: [structuredClone(decided)],
    clicks: [click(950_000, { by: 'ben', counted: false, said: 'Too late: nothing is asked.' })],
    posts: [
      { key: 'start', at: at(300), kind: 'start', headline: 'Switchover of orders has started', delivered: 'slack' },
      {
        key: 'status-1',
        at: at(800_000),
        kind: 'status',
        headline: 'waits for a decision',
        delivered: 'webhook',
        why: 'Slack answered 503',
      },
      {
        key: 'warning-1',
        at: at(810_000),
        kind: 'warning',
        headline: 'will miss the RTO by 12 min',
        delivered: 'nowhere',
        why: 'Slack answered 503, and the webhook did not answer',
      },
    ],
  });
  evidence.phases = [
    {
      name: 'assessment',
      budgetMs: 15 * minute,
      startedAt: at(300),
      endedAt: at(190_150),
      peopleMs: 186_100,
      retriesMs: 0,
    },
    {
      name: 'database',
      budgetMs: 45 * minute,
      startedAt: at(190_160),
      endedAt: at(910_000),
      peopleMs: 700_000,
      retriesMs: 4_000,
    },
  ];
  settleEvidence(evidence);
  evidence.outcome = 'completed';
  evidence.endedAt = at(912_000);
  return evidence;
}

/** Somebody has aborted it before the promotion. */
export function abortedByHand(): Evidence {
  const undo = (name: string, from: number) =>
    step(from, 800, { name: `Undo: ${name}`, group: 'closing', kind: 'undo' });
  const evidence = whole({
    steps: [...structuredClone(steps.slice(0, 4)), undo('Close the front door', 195_000)],
    approvals: [structuredClone(given)],
    aborted: {
      at: at(194_000),
      by: 'ana',
      reason: 'wrong standby',
      code: 'AB0RT123',
      stops: ['Promote the standby'],
      undoes: [{ name: 'Close the front door', will: 'open it again to db1' }],
      stays: [{ name: 'Checkpoint on the primary', why: 'a checkpoint needs no undo' }],
    },
    notUndone: [{ name: 'Checkpoint on the primary', why: 'a checkpoint needs no undo' }],
    failure: { type: 'Aborted', message: 'Ana has aborted the run: wrong standby.' },
  });
  settleEvidence(evidence);
  evidence.outcome = 'aborted';
  evidence.endedAt = at(196_000);
  return evidence;
}

/** What a switchover would do, and whom it would ask. */
export function planned(): Evidence {
  const would = (made: Step): Step => {
    if (made.kind === 'check') return made;
    const { found: _found, ...rest } = made;
    if (made.kind === 'approval')
      return {
        ...rest,
        state: 'listed',
        found: 'would be asked: 2 of dba (Ana, Ben and Cara), Dora excluded, who asks for it, for 15 min, then denied',
      };
    return { ...rest, state: 'previewed' };
  };
  const evidence = whole({ mode: 'dry-run', steps: structuredClone(steps).map(would) });
  settleEvidence(evidence);
  evidence.outcome = 'previewed';
  evidence.endedAt = at(4_000);
  return evidence;
}

export const peopleSamples: Record<string, () => Evidence> = { waiting, undecided, switched, abortedByHand, planned };
