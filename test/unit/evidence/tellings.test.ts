import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval, Decision } from '../../../evidence/people.ts';
import { statusLines } from '../../../evidence/status.ts';
import { endTelling, lateTelling, type Telling, tellings } from '../../../evidence/tellings.ts';
import { notProven, proven, running } from './samples.ts';

const names = { ana: 'Ana Lima', ben: 'Ben Osei' };

const approval: Approval = {
  id: 'traffic/switch-the-primary',
  name: 'Switch the primary',
  rule: 'default',
  round: 1,
  subject: { standby: 'db2', lag: '0 bytes' },
  shown: {},
  hash: 'ab'.repeat(32),
  nonce: 'n',
  code: 'KX4M-7QPT',
  quorum: 2,
  asked: [
    { group: 'dba', people: ['ana', 'ben'], since: '2026-11-21T14:02:11.000Z', until: '2026-11-21T14:17:11.000Z' },
  ],
  alternatives: {},
  openedAt: '2026-11-21T14:02:11.000Z',
  clicks: [],
};

const decision: Decision = {
  step: 'database/restore',
  name: 'Restore the backup beside',
  attempt: 1,
  code: 'P3RT-99XA',
  failure: { type: 'DiskFull', message: '2 GB free, 40 GB needed' },
  offers: ['retry', 'abort'],
  asked: [{ group: 'dba', people: ['ana'], since: '2026-11-21T14:02:11.000Z', until: '2026-11-21T22:02:11.000Z' }],
  openedAt: '2026-11-21T14:02:11.000Z',
  clicks: [],
};

function about(evidence: Evidence, key: string): Telling | undefined {
  return tellings(evidence, names).find((one) => one.key === key);
}

function textOf(telling: Telling | undefined): string {
  return [telling?.headline, ...(telling?.lines ?? []).map(({ label, text }) => `${label}: ${text}`)].join('\n');
}

describe('what people are told', () => {
  test('begins with whether it is real', () => {
    expect(about(running(), 'start')?.headline).toMatch(/^DRILL, production is not touched: Monthly drill of orders/);
    expect(about({ ...running(), mode: 'live' }, 'start')?.headline).toMatch(/^LIVE: /);
  });

  test('has a key of its own for each message', () => {
    const closed = {
      ...approval,
      warnedAt: approval.openedAt,
      closedAt: approval.openedAt,
      outcome: 'approved' as const,
    };
    const evidence = {
      ...proven(),
      approvals: [closed, { ...approval, id: 'traffic/switch-the-primary-2' }],
      decisions: [decision],
    };
    const keys = tellings(evidence, names).map((one) => one.key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('names each phase that has begun, and what the one before took', () => {
    const told = about(proven(), 'phase/database');
    expect(told?.headline).toBe('Phase 2 of 5: database');
    expect(textOf(told)).toMatch(/Done: assessment \(.+ of 15 min\)/);
  });

  test('asks for an approval with its facts, its code, who is asked and until when; and calls them', () => {
    const told = about({ ...running(), approvals: [approval] }, 'approval/traffic/switch-the-primary');
    expect(told?.calls).toEqual(['ana', 'ben']);
    expect(textOf(told)).toContain('Ana Lima, Ben Osei (2 of them) since 14:02:11Z, until 14:17:11Z');
    expect(textOf(told)).toContain('standby: db2');
    expect(textOf(told)).toContain('--code KX4M-7QPT');
  });

  test('reminds before the deadline, tells of each escalation, and of the end with who has answered', () => {
    const more = {
      group: 'incident-commander',
      people: ['ida'],
      since: '2026-11-21T14:17:11.000Z',
      until: '2026-11-21T14:32:11.000Z',
    };
    const click = {
      at: approval.openedAt,
      kind: 'approve' as const,
      channel: 'cli' as const,
      signed: 'person' as const,
      said: '',
    };
    const over: Approval = {
      ...approval,
      asked: [...approval.asked, more],
      warnedAt: '2026-11-21T14:12:11.000Z',
      closedAt: '2026-11-21T14:20:11.000Z',
      outcome: 'approved',
      clicks: [
        { ...click, by: 'ana', counted: true },
        { ...click, by: 'eve', counted: false },
      ],
    };
    const evidence = { ...running(), approvals: [over] };
    const key = `approval/${approval.id}`;
    expect(about(evidence, `${key}/reminder`)?.kind).toBe('reminder');
    expect(about(evidence, `${key}/escalation-1`)).toMatchObject({ kind: 'escalation', calls: ['ida'] });
    const closed = textOf(about(evidence, `${key}/closed`));
    expect(closed).toContain('Switch the primary: approved');
    expect(closed).toContain('Approved by: Ana Lima');
    expect(closed).toContain('After: 18 min');
    expect(closed).not.toContain('eve');
  });

  test('says who has said no apart from who has said yes', () => {
    const click = {
      at: '2026-11-21T14:15:11.000Z',
      channel: 'slack',
      signed: 'gateway',
      counted: true,
      said: '',
    } as const;
    const over: Approval = {
      ...approval,
      quorum: 1,
      closedAt: '2026-11-21T14:20:11.000Z',
      outcome: 'approved',
      clicks: [
        { ...click, kind: 'reject', by: 'ana' },
        { ...click, kind: 'approve', by: 'ben' },
      ],
    };
    const closed = textOf(about({ ...running(), approvals: [over] }, `approval/${approval.id}/closed`));
    expect(closed).toContain('Approved by: Ben Osei');
    expect(closed).toContain('Rejected by: Ana Lima');
  });

  test('says of a failed step what failed and what can be decided', () => {
    const told = about({ ...running(), decisions: [decision] }, 'decision/database/restore/1');
    expect(textOf(told)).toContain('DiskFull: 2 GB free, 40 GB needed');
    expect(textOf(told)).toContain('retry, abort');
  });

  test('warns of an outage that a step waits for, once for each', () => {
    const evidence = running();
    const [first, ...rest] = evidence.steps;
    if (first === undefined) throw new Error('the sample has no steps');
    const wait = {
      what: 'the backup repository',
      why: 'ECONNREFUSED',
      since: first.startedAt,
      givesUpAt: first.startedAt,
    };
    const waiting = { ...evidence, steps: [{ ...first, waits: [wait, wait] }, ...rest] };
    const told = tellings(waiting, names).filter((one) => one.kind === 'warning');
    expect(told.map((one) => one.headline)).toEqual(Array(2).fill(`${first.name}: waits for the backup repository`));
  });

  test('ends with the outcome, what was measured, what failed and what to do', () => {
    expect(endTelling(proven()).headline).toBe('PROVEN: orders can be recovered');
    expect(textOf(endTelling(proven()))).toMatch(/time to recover .+ of 1 h .*; data lost .+ of 5 min/);
    const failed = endTelling(notProven());
    expect(textOf(failed)).toContain(notProven().failure?.message);
    expect(textOf(failed)).toContain('To do: ');
  });

  test('says early that it will be late', () => {
    const told = lateTelling(running(), 12 * 60_000, 1);
    expect(told.headline).toBe('Will miss the RTO of 1 h by 12 min');
  });
});

describe('a status update', () => {
  test('says who is waited for, since when and until when, before anything else', () => {
    const [first] = statusLines({ ...running(), approvals: [approval] }, names, '2026-11-21T14:05:00.000Z');
    expect(first).toEqual({
      label: 'Waiting for',
      text: 'Ana Lima, Ben Osei (2 of them) since 14:02:11Z, until 14:17:11Z: Switch the primary',
    });
  });

  test('sends for nobody once the quorum is there: the facts are being read again', () => {
    const click = {
      at: '2026-11-21T14:04:00.000Z',
      channel: 'cli',
      signed: 'person',
      counted: true,
      said: '',
    } as const;
    const agreed: Approval = { ...approval, quorum: 1, clicks: [{ ...click, kind: 'approve', by: 'ben' }] };
    const evidence = { ...running(), approvals: [agreed] };
    const lines = Object.fromEntries(
      statusLines(evidence, names, '2026-11-21T14:05:00.000Z').map((one) => [one.label, one.text]),
    );
    expect(lines).not.toHaveProperty('Waiting for');
    expect(lines.Now).toContain('Switch the primary: approved, its facts are read once more');
  });

  test('says phase, what goes on, what is done, what is next, the expected end and the loss so far', () => {
    const evidence: Evidence = {
      ...running(),
      forecast: { at: '', endsAt: '2026-11-21T16:12:40.000Z', how: '3 earlier runs', lateByMs: 12 * 60_000 },
    };
    const lines = Object.fromEntries(
      statusLines(evidence, names, '2026-11-21T14:05:00.000Z').map((one) => [one.label, one.text]),
    );
    expect(lines).toMatchObject({
      Phase: expect.stringMatching(/^2 of 5, database: .+ of 45 min$/),
      Done: expect.stringContaining('assessment'),
      Next: 'application, validation, traffic',
      'Expected end': '16:12:40Z, by 3 earlier runs; recovered 12 min past the RTO of 1 h',
      'Data lost': expect.stringMatching(/^about 23 s of 5 min promised/),
    });
  });

  test('of names that nobody has shows the ids, whatever they are called', () => {
    const odd = {
      ...approval,
      asked: [{ ...approval.asked[0], group: 'dba', people: ['constructor'], since: '', until: '' }],
    };
    const [first] = statusLines({ ...running(), approvals: [odd] }, names, '2026-11-21T14:05:00.000Z');
    expect(first?.text).toMatch(/^constructor /);
  });
});
