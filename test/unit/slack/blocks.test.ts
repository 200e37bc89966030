/** What people see in Slack, held against Block Kit's limits as the lab's workspace enforces them. */
import type { KnownBlock } from '@slack/types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  abortBlocks,
  approvalBlocks,
  decisionBlocks,
  runBlocks,
  statusBlocks,
} from '../../../activities/notify/slack-blocks.ts';
import { meaningOf } from '../../../activities/notify/slack-buttons.ts';
import type { Approval, Click } from '../../../evidence/people.ts';
import { messageBlocks, modal } from '../../../lab/slack/block-kit.ts';
import { abortDialog, wordsDialog } from '../../../workers/slack/modals.ts';
import { approvalWith, decisionWith, evidenceWith } from './samples.ts';

const wrong = (blocks: KnownBlock[]) => messageBlocks.safeParse(blocks).error?.issues ?? [];

const buttons = (blocks: KnownBlock[]) =>
  blocks
    .flatMap((block) => (block.type === 'actions' ? block.elements : []))
    .flatMap((one) => (one.type === 'button' ? [one] : []));

const all = (blocks: KnownBlock[]): string => JSON.stringify(blocks);

const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 5_000 }),
  fc.constantFrom(
    '<!channel>',
    '<@U0BEN0002>',
    '<https://evil|good>',
    '`',
    '*bold* _x_ ~y~',
    '',
    ' ',
    '\n\n',
    '&<>'.repeat(1_000),
    '\u202Eabc',
    '"}]',
  ),
);
const subject = fc.dictionary(hostile, fc.oneof(hostile, fc.integer()), { maxKeys: 60 });

const click = fc.record({
  at: fc.constant('2026-11-21T14:02:00.000Z'),
  kind: fc.constantFrom('approve', 'reject', 'decide', 'abort'),
  by: hostile,
  channel: fc.constant('slack'),
  signed: fc.constant('gateway'),
  counted: fc.boolean(),
  said: hostile,
  reason: hostile,
  choice: hostile,
}) as fc.Arbitrary<Click>;

const anyApproval: fc.Arbitrary<Approval> = fc
  .record({
    name: hostile,
    subject,
    shown: subject,
    code: hostile,
    alternatives: fc.dictionary(hostile, fc.record({ label: hostile }), { maxKeys: 40 }),
    clicks: fc.array(click, { maxLength: 30 }),
    people: fc.array(hostile, { maxLength: 60 }),
    outcome: fc.constantFrom(undefined, 'approved', 'rejected', 'expired', 'void', 'proceeded', 'ended'),
    why: hostile,
  })
  .map(({ people, outcome, ...rest }) =>
    approvalWith({
      ...rest,
      asked: [{ group: 'dba', people, since: '2026-11-21T14:01:00.000Z', until: '2026-11-21T14:16:00.000Z' }],
      ...(outcome === undefined ? {} : { outcome, closedAt: '2026-11-21T14:05:00.000Z' }),
    }),
  );

describe('an approval', () => {
  test('that is open shows its facts, its code, and buttons that carry both names', () => {
    const blocks = approvalBlocks(evidenceWith(), approvalWith());
    expect(wrong(blocks)).toEqual([]);
    for (const fact of ['from', 'db1', 'to', 'db2', 'K7QM2XPA', 'ben', 'cara', '14:16:00Z'])
      expect(all(blocks)).toContain(fact);
    expect(buttons(blocks).map(({ text }) => text.text)).toEqual(['Approve', 'Approve with a note…', 'Reject…']);
    for (const { value } of buttons(blocks))
      expect(meaningOf(value)).toMatchObject({
        run: 'orders-7f3a',
        about: 'database/switch-the-primary',
        code: 'K7QM2XPA',
      });
  });

  test('asks again before it counts a yes, and repeats what is approved', () => {
    const [approve] = buttons(approvalBlocks(evidenceWith(), approvalWith()));
    const asked = approve?.confirm?.text.text ?? '';
    for (const fact of ['K7QM2XPA', 'from: `db1`', 'to: `db2`', 'timeline: `1`']) expect(asked).toContain(fact);
  });

  test('says in the question how many facts had no room there', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`fact ${index}`, 'x'.repeat(30)]));
    const [approve] = buttons(approvalBlocks(evidenceWith(), approvalWith({ subject: many })));
    expect(approve?.confirm?.text.text).toMatch(/and 3\d more, see the message$/);
  });

  test.each(['approved', 'rejected', 'expired', 'void', 'proceeded', 'ended'] as const)(
    'that is %s has no button',
    (outcome) => {
      const ended = approvalWith({ outcome, closedAt: '2026-11-21T14:05:00.000Z', why: 'two have said so' });
      const blocks = approvalBlocks(evidenceWith(), ended);
      expect(buttons(blocks)).toEqual([]);
      expect(all(blocks)).toContain('two have said so');
    },
  );

  test('calls those who are asked by their Slack ids, and nobody else', () => {
    const blocks = approvalBlocks(evidenceWith(), approvalWith(), {
      slackIds: { ben: 'U0BEN0002', ana: 'U0ANA0001', cara: '!channel' },
    });
    expect(all(blocks)).toContain('<@U0BEN0002>');
    expect(all(blocks)).not.toMatch(/U0ANA0001|<!channel/);
  });

  test('offers alternatives; one that needs words opens a dialog instead of asking again', () => {
    const alternatives = {
      earlier: { label: 'Move the target back', wants: 'time' as const },
      wait: { label: 'Wait an hour' },
    };
    const [, earlier, wait] = buttons(approvalBlocks(evidenceWith(), approvalWith({ alternatives })));
    expect(meaningOf(earlier?.value)).toMatchObject({ choice: 'earlier', wants: 'time' });
    expect(earlier?.confirm).toBeUndefined();
    expect(wait?.confirm?.title?.text).toBe('Wait an hour?');
  });

  test('fits Block Kit whatever it is called and however much it has to say', () => {
    fc.assert(
      fc.property(anyApproval, hostile, (approval, service) => {
        expect(wrong(approvalBlocks(evidenceWith({ service, run: service }), approval))).toEqual([]);
      }),
    );
  });

  test('lets no words of others call people, link or format', () => {
    fc.assert(
      fc.property(anyApproval, (approval) => {
        const texts =
          all(approvalBlocks(evidenceWith(), approval)).match(/"type":"mrkdwn","text":"(?:[^"\\]|\\.)*"/g) ?? [];
        for (const one of texts) expect(one).not.toMatch(/<(?!>)/);
      }),
    );
  });
});

describe('a decision', () => {
  test('offers what may be said, and asks before it tries again', () => {
    const blocks = decisionBlocks(evidenceWith(), decisionWith());
    expect(wrong(blocks)).toEqual([]);
    expect(buttons(blocks).map(({ text }) => text.text)).toEqual(['Retry', 'Skip the step…', 'Abort the run…']);
    expect(buttons(blocks)[0]?.confirm?.text.text).toContain('ArchiveUnreachable');
  });

  test('offers no skip where the runbook cannot do without the step', () => {
    const blocks = decisionBlocks(evidenceWith(), decisionWith({ offers: ['retry', 'abort'] }));
    expect(buttons(blocks).map(({ text }) => text.text)).toEqual(['Retry', 'Abort the run…']);
  });

  test('has no button once it is made, and says by whom and why', () => {
    const made = { closedAt: '2026-11-21T14:05:00.000Z', action: 'skip', by: 'ben', reason: 'seen by hand' } as const;
    const blocks = decisionBlocks(evidenceWith(), decisionWith(made));
    expect(buttons(blocks)).toEqual([]);
    expect(all(blocks)).toMatch(/skip.*ben.*seen by hand/);
  });

  test('fits Block Kit whatever failed', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, message, reason) => {
        expect(
          wrong(decisionBlocks(evidenceWith(), decisionWith({ name, failure: { type: 'Bug', message }, reason }))),
        ).toEqual([]);
      }),
    );
  });
});

describe('a status', () => {
  test('says where the run is and who is awaited', () => {
    const evidence = evidenceWith({
      approvals: [approvalWith()],
      forecast: {
        at: '2026-11-21T14:02:00.000Z',
        endsAt: '2026-11-21T14:30:00.000Z',
        lateByMs: 720_000,
        how: '3 earlier runs',
      },
    });
    const blocks = statusBlocks(evidence, { headline: 'Still waiting' });
    expect(wrong(blocks)).toEqual([]);
    for (const word of ['assessment', 'Switch the primary', '14:30:00Z', 'misses the RTO by 12 min'])
      expect(all(blocks)).toContain(word);
  });

  test('fits Block Kit with any lines', () => {
    fc.assert(
      fc.property(
        hostile,
        fc.array(fc.record({ label: hostile, text: hostile }), { maxLength: 80 }),
        (headline, lines) => {
          expect(wrong(statusBlocks(evidenceWith(), { headline, lines }))).toEqual([]);
          expect(wrong(runBlocks(evidenceWith({ service: headline })))).toEqual([]);
        },
      ),
    );
  });
});

describe('a dialog', () => {
  test('shows an abort in its order, and fits however much would be undone', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 80 }), (names) => {
        const plan = {
          code: 'ABCD',
          stops: names,
          undoes: names.map((name) => ({ name, will: name })),
          stays: names.map((name) => ({ name, why: name })),
        };
        const view = abortDialog('orders-7f3a', plan.code, abortBlocks(evidenceWith(), plan), {
          channel: 'C0INCIDENT',
        });
        expect(modal.safeParse(view).error?.issues ?? []).toEqual([]);
      }),
    );
  });

  test('for words fits whatever the approval is called', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 150 }), (label) => {
        const view = wordsDialog(
          'reject',
          { run: 'orders-7f3a', about: 'database/x', code: 'ABCD', label },
          { channel: 'C0INCIDENT' },
        );
        expect(modal.safeParse(view).error?.issues ?? []).toEqual([]);
      }),
    );
  });
});
