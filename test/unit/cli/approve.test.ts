import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Reply } from '../../../activities/people/reply.ts';
import { verifySignature } from '../../../activities/people/verify.ts';
import { Silence } from '../../../cli/engine/engine.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { statementText } from '../../../evidence/signing.ts';
import { approvalStatement, startStatement } from '../../../evidence/statements.ts';
import { abortPlan, approval, asking, click, decision } from './asked-run.ts';
import { type Ear, type Estate, proven, running, type Stage, scriptedRun, stage } from './stage.ts';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'approve-'));
  await at(asking()).on.type('keys', 'create', '--person', 'ana');
});
afterAll(() => rm(home, { recursive: true }));

/** `ear` keeps what the run hears. */
function at(evidence: Evidence | Error | undefined, estate: Estate & Partial<Ear> = {}): { on: Stage; ear: Ear } {
  const { reply, abortPlan: plan, ...rest } = estate;
  const ear: Ear = { heard: [], ...(reply && { reply }), ...(plan && { abortPlan: plan }) };
  const run = scriptedRun([{ state: running(), evidence }], proven, 'orders-7f3a', ear);
  const on = stage({
    runs: { 'orders-7f3a': run },
    ...rest,
    environment: { XDG_CONFIG_HOME: home, ...estate.environment },
  });
  return { on, ear };
}

describe('approve', () => {
  test('shows what is approved, asks, and sends exactly that, signed', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('approve', 'orders-7f3a');
    const shown = on.out.join('\n');
    for (const fact of [
      'Switch the primary',
      'db1',
      'db2',
      '3f'.repeat(32),
      '7K3M9QXZ',
      '0 of 2 of dba',
      'ana, ben, cara',
    ])
      expect(shown).toContain(fact);
    expect(on.messages.join('\n')).toContain('Approve?');
    expect(ear.heard).toEqual([
      {
        kind: 'approve',
        click: {
          approval: 'database/switch-the-primary',
          code: '7K3M9QXZ',
          by: 'ana',
          channel: 'cli',
          signature: { as: 'person', key: expect.stringMatching(/^ed25519:/), value: expect.any(String) },
        },
      },
    ]);
    expect(on.out.at(-1)).toBe('Counted.');
    expect(on.code()).toBe(0);
  });

  test('the signature is of this person, this run and these facts, and of no other', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('approve', 'orders-7f3a', '--reason', 'seen the lag');
    const [message] = ear.heard;
    const signature = message?.click.signature;
    if (signature === undefined) throw new Error('it was not signed');
    const evidence = asking();
    const said = { by: 'ana', reason: 'seen the lag', choice: 'approve' };
    const holds = async (statement: Parameters<typeof statementText>[0]) =>
      (await verifySignature({ text: statementText(statement), signature })).holds;
    expect(await holds(approvalStatement(evidence, approval(), said))).toBe(true);
    expect(await holds(approvalStatement(evidence, approval(), { ...said, by: 'ben' }))).toBe(false);
    expect(await holds(approvalStatement(evidence, approval({ nonce: 'another' }), said))).toBe(false);
    expect(await holds(approvalStatement({ ...evidence, run: 'orders-0000' }, approval(), said))).toBe(false);
  });

  test('a no to the question sends nothing', async () => {
    const { on, ear } = at(asking(), { answer: false });
    await on.type('approve', 'orders-7f3a');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(10);
  });

  test('where nobody can be asked, nothing is sent, and what is needed is said', async () => {
    const { on, ear } = at(asking());
    await on.type('approve', 'orders-7f3a');
    expect(ear.heard).toEqual([]);
    expect(on.messages.join('\n')).toContain('--code 7K3M9QXZ');
    expect(on.code()).toBe(10);
  });

  test('with --json it shows and sends nothing without a code, and answers as a document with one', async () => {
    const shown = at(asking(), { answer: true });
    await shown.on.type('approve', 'orders-7f3a', '--json');
    expect(shown.ear.heard).toEqual([]);
    expect(JSON.parse(shown.on.out.join(''))).toMatchObject({ run: 'orders-7f3a', sent: false, asks: approval() });
    const sent = at(asking());
    await sent.on.type('approve', 'orders-7f3a', '--code', '7k3m-9qxz', '--json');
    expect(JSON.parse(sent.on.out.join(''))).toMatchObject({
      kind: 'approve',
      by: 'ana',
      signed: true,
      answer: 'Counted.',
    });
  });

  test('a code as it is typed, in small letters and with a hyphen, is the one that was shown', async () => {
    const { on, ear } = at(asking());
    await on.type('approve', 'orders-7f3a', '--code', '7k3m-9qxz');
    expect(ear.heard[0]?.click.code).toBe('7K3M9QXZ');
    expect(on.code()).toBe(0);
  });

  test('a code that was never shown approves nothing', async () => {
    const { on, ear } = at(asking());
    await on.type('approve', 'orders-7f3a', '--code', 'ZZZZZZZZ');
    expect(ear.heard).toEqual([]);
    expect(on.messages.join('\n')).toContain('7K3M9QXZ');
    expect(on.code()).toBe(9);
  });

  test('an old code is sent, so that the run says why it no longer counts, and keeps it', async () => {
    const old = approval({ code: '01D00000', closedAt: '2026-11-21T14:04:00.000Z', outcome: 'void' });
    const reply: Reply = { kind: 'refused', words: 'Too late: "Switch the primary" is void, and was asked anew.' };
    const { on, ear } = at(asking({ approvals: [old, approval({ id: 'database/switch-the-primary-2', round: 2 })] }), {
      reply,
    });
    await on.type('approve', 'orders-7f3a', '--code', '01D00000');
    expect(ear.heard[0]?.click.code).toBe('01D00000');
    expect(on.messages.join('\n')).toContain('asked anew');
    expect(on.code()).toBe(9);
  });

  test('of several that are open, one has to be named', async () => {
    const two = asking({
      approvals: [approval(), approval({ id: 'traffic/move-traffic', name: 'Move traffic', code: 'M0VETRAF' })],
    });
    const { on, ear } = at(two, { answer: true });
    await on.type('approve', 'orders-7f3a');
    expect(on.messages.join('\n')).toMatch(/Which one.*Switch the primary.*Move traffic/);
    expect(on.code()).toBe(2);
    await on.type('approve', 'orders-7f3a', '--approval', 'move traffic');
    expect(ear.heard).toMatchObject([{ click: { approval: 'traffic/move-traffic', code: 'M0VETRAF' } }]);
  });

  test('an alternative goes with what it wants', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('approve', 'orders-7f3a', '--choice', 'later');
    expect(on.messages.join('\n')).toContain('--value');
    await on.type('approve', 'orders-7f3a', '--choice', 'never');
    expect(on.messages.join('\n')).toContain('approve, later');
    await on.type('approve', 'orders-7f3a', '--choice', 'later', '--value', '2026-11-21T20:00:00Z');
    expect(ear.heard).toMatchObject([{ click: { choice: 'later', value: '2026-11-21T20:00:00Z' } }]);
  });

  test('reject says no, with its reason', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('reject', 'orders-7f3a', '--reason', 'the lag grows');
    expect(ear.heard).toMatchObject([{ kind: 'reject', click: { by: 'ana', reason: 'the lag grows' } }]);
  });

  test('without a key it is sent unsigned, and said to be', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('approve', 'orders-7f3a', '--as', 'ben');
    expect(ear.heard[0]?.click).not.toHaveProperty('signature');
    expect(on.messages.join('\n')).toContain('Not signed: no key of ben');
  });

  test('who it is must be known', async () => {
    const { on, ear } = at(asking(), { answer: true, environment: { XDG_CONFIG_HOME: '/nowhere' } });
    await on.type('approve', 'orders-7f3a');
    expect(on.messages.join('\n')).toContain('LIFEBOAT_PERSON');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(2);
  });

  test('who it is must be known before anybody is asked for a yes; the facts are shown all the same', async () => {
    for (const [words, evidence] of [
      [['approve', 'orders-7f3a'], asking()],
      [['decide', 'orders-7f3a', 'retry'], asking({ approvals: [], decisions: [decision()] })],
      [['abort', 'orders-7f3a'], asking()],
    ] as const) {
      const { on } = at(evidence, { abortPlan, answer: true, environment: { XDG_CONFIG_HOME: '/nowhere' } });
      await on.type(...words);
      expect(on.out.join('\n')).toContain('orders-7f3a');
      expect(on.messages.join('\n')).toContain('Who you are is not known');
      expect(on.messages.join('\n')).not.toContain('?');
    }
  });

  test('a key that is named must be there before anybody is asked for a yes', async () => {
    const { on, ear } = at(asking(), { answer: true });
    await on.type('approve', 'orders-7f3a', '--key', '/nowhere/ana.key');
    expect(on.messages.join('\n')).toContain('There is no key /nowhere/ana.key');
    expect(on.messages.join('\n')).not.toContain('Approve?');
    expect(ear.heard).toEqual([]);
  });

  test('a code that belongs to another question than the one that is named says so', async () => {
    const { on, ear } = at(asking());
    await on.type('approve', 'orders-7f3a', '--approval', 'nosuch', '--code', '7K3M9QXZ');
    expect(on.messages.join('\n')).toContain('The code 7K3M9QXZ is of "Switch the primary"');
    expect(on.messages.join('\n')).toContain('--approval says nosuch');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(2);
  });

  test('what has been said already is shown', async () => {
    const { on } = at(asking({ approvals: [approval({ clicks: [click({ by: 'ben' })] })] }), { answer: false });
    await on.type('approve', 'orders-7f3a');
    expect(on.out.join('\n')).toContain('1 of 2 of dba (ben); waits for ana, cara');
  });
});

describe('what becomes of it', () => {
  test.each<[string, Reply, number, string]>([
    [
      'a refusal is told in the run’s words',
      { kind: 'refused', words: 'You have started this run.' },
      9,
      'Refused: You have',
    ],
    [
      'no answer leaves open whether it counts',
      { kind: 'silent', why: 'no answer within 15 s' },
      6,
      'may still be counted',
    ],
  ])('%s', async (_name, reply, code, words) => {
    const { on } = at(asking(), { reply, answer: true });
    await on.type('approve', 'orders-7f3a');
    expect(on.messages.join('\n')).toContain(words);
    expect(on.code()).toBe(code);
  });

  test('a run that has ended says how, before and after it was asked', async () => {
    const run = scriptedRun([{ state: running({ status: 'completed' }), evidence: asking() }]);
    const on = stage({ runs: { 'orders-7f3a': run }, environment: { XDG_CONFIG_HOME: home } });
    await on.type('approve', 'orders-7f3a', '--code', '7K3M9QXZ');
    expect(on.messages.join('\n')).toContain('has ended (PROVEN)');
    expect(on.code()).toBe(9);
    const late = at(asking(), { reply: { kind: 'over' }, answer: true });
    await late.on.type('approve', 'orders-7f3a');
    expect(late.on.messages.join('\n')).toContain('has ended (PROVEN)');
    expect(late.on.code()).toBe(9);
  });

  test('without a worker nothing is sent, and that is said', async () => {
    const { on, ear } = at(new Silence('workers', 'No control worker answers'));
    await on.type('approve', 'orders-7f3a', '--code', '7K3M9QXZ');
    expect(on.messages.join('\n')).toContain('nothing was sent');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(6);
  });

  test('an unknown run, and a Temporal that is not there, have their own codes', async () => {
    const { on } = at(asking());
    await on.type('approve', 'orders-0000');
    expect(on.code()).toBe(5);
    const away = stage({ unreachable: true });
    await away.type('approve', 'orders-7f3a');
    expect(away.code()).toBe(3);
  });
});

describe('decide', () => {
  const failed = () => asking({ approvals: [], decisions: [decision()] });

  test('shows the failure, asks, and sends it', async () => {
    const { on, ear } = at(failed(), { answer: true });
    await on.type('decide', 'orders-7f3a', 'retry');
    expect(on.out.join('\n')).toMatch(/Demote db1 has failed[\s\S]*HostSilent: no host worker[\s\S]*retry, abort/);
    expect(ear.heard).toMatchObject([
      { kind: 'decide', click: { step: 'database/demote-db1', code: 'D3C1S10N', action: 'retry', by: 'ana' } },
    ]);
  });

  test('an abort shows what it would stop, undo in order and leave, before it asks', async () => {
    const { on, ear } = at(failed(), { abortPlan, answer: false });
    await on.type('decide', 'orders-7f3a', 'abort');
    expect(on.out.join('\n')).toMatch(
      /Demote db1 has failed[\s\S]*stopped first[\s\S]*1\. Stop the old primary[\s\S]*2\. Close the front door[\s\S]*stays/,
    );
    // The one code that is shown is that of the decision.
    expect(on.out.join('\n')).not.toContain(abortPlan.code);
    expect(ear.heard).toEqual([]);
    const { on: forPrograms } = at(failed(), { abortPlan });
    await forPrograms.type('decide', 'orders-7f3a', 'abort', '--json');
    expect(JSON.parse(forPrograms.out.join(''))).toMatchObject({ sent: false, abort: abortPlan });
  });

  test('a skip needs a reason, before anything is asked', async () => {
    const { on, ear } = at(failed(), { answer: true });
    await on.type('decide', 'orders-7f3a', 'skip');
    expect(on.messages.join('\n')).toContain('--reason');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(2);
  });

  test('a skip that is not offered is refused, with a code and without one', async () => {
    for (const code of [[], ['--code', 'D3C1S10N']]) {
      const { on, ear } = at(failed(), { answer: true });
      await on.type('decide', 'orders-7f3a', 'skip', '--reason', 'it can do without', ...code);
      expect(on.messages.join('\n')).toContain(
        'offers no skip, and the run cannot go on without it: say retry or abort',
      );
      expect(ear.heard).toEqual([]);
      expect(on.code()).toBe(9);
    }
  });

  test('what is no action is refused, and so is a code of another failure', async () => {
    const { on, ear } = at(failed(), { answer: true });
    await on.type('decide', 'orders-7f3a', 'ignore');
    expect(on.code()).toBe(2);
    await on.type('decide', 'orders-7f3a', 'retry', '--code', '0THERC0D');
    expect(on.code()).toBe(9);
    expect(ear.heard).toEqual([]);
  });

  test('where nothing has failed, that is said', async () => {
    const { on } = at(asking());
    await on.type('decide', 'orders-7f3a', 'retry');
    expect(on.messages.join('\n')).toContain('No step of orders-7f3a waits');
    expect(on.code()).toBe(9);
  });
});

describe('abort', () => {
  test('shows what it would stop, undo in order and leave, and asks', async () => {
    const { on, ear } = at(asking(), { abortPlan, answer: true });
    await on.type('abort', 'orders-7f3a', '--reason', 'wrong standby');
    const shown = on.out.join('\n');
    expect(shown).toMatch(/1\. Stop the old primary[\s\S]*2\. Close the front door/);
    for (const fact of ['Wait until db2', 'nothing was changed by it', 'AB0RT123']) expect(shown).toContain(fact);
    expect(ear.heard).toMatchObject([
      { kind: 'abort', click: { code: 'AB0RT123', by: 'ana', reason: 'wrong standby' } },
    ]);
    expect(on.code()).toBe(0);
  });

  test('--yes with the code of another plan is refused, and what would happen now is shown', async () => {
    const { on, ear } = at(asking(), { abortPlan });
    await on.type('abort', 'orders-7f3a', '--yes', '0LDC0DE0');
    expect(ear.heard).toEqual([]);
    expect(on.messages.join('\n')).toMatch(/has changed[\s\S]*AB0RT123/);
    expect(on.code()).toBe(9);
  });

  test('--yes with the right code does not ask; --json shows the plan', async () => {
    const shown = at(asking(), { abortPlan });
    await shown.on.type('abort', 'orders-7f3a', '--json');
    expect(JSON.parse(shown.on.out.join(''))).toEqual({ run: 'orders-7f3a', sent: false, abort: abortPlan });
    const { on, ear } = at(asking(), { abortPlan });
    await on.type('abort', 'orders-7f3a', '--yes', 'AB0RT123');
    expect(ear.heard).toHaveLength(1);
  });

  test('a no sends nothing', async () => {
    const { on, ear } = at(asking(), { abortPlan, answer: false });
    await on.type('abort', 'orders-7f3a');
    expect(ear.heard).toEqual([]);
    expect(on.code()).toBe(10);
  });
});

describe('a start', () => {
  test('is signed by the only key that lies here, for its own name and input', async () => {
    const { on } = at(asking());
    await on.type('drill', 'orders', '--detach');
    const [order] = on.orders;
    expect(order?.input.requestedBy).toBe('ana');
    const signature = order?.sign?.('orders-7f3a');
    if (signature === undefined || order === undefined) throw new Error('it was not signed');
    const holds = async (run: string) =>
      (
        await verifySignature({
          text: statementText(startStatement(run, 'ana', order.input)),
          signature,
        })
      ).holds;
    expect([await holds('orders-7f3a'), await holds('orders-0000')]).toEqual([true, false]);
  });

  test('by somebody without a key is not signed', async () => {
    const { on } = at(asking());
    await on.type('drill', 'orders', '--detach', '--as', 'pager');
    expect(on.orders[0]).not.toHaveProperty('sign');
    expect(on.orders[0]?.input.requestedBy).toBe('pager');
  });
});
