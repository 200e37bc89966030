/** What becomes of a click: who it is, what is signed, what is said; and each click once, whatever dies meanwhile. */
import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { drawKey, publicLine } from '../../../activities/people/keys.ts';
import type { Reply } from '../../../activities/people/reply.ts';
import { statementText } from '../../../evidence/signing.ts';
import { approvalStatement } from '../../../evidence/statements.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { Unanswered } from '../../../workers/pages/engine.ts';
import { type ClickEnd, clickOf, type SlackClick } from '../../../workers/slack/click.ts';
import { Courier } from '../../../workers/slack/courier.ts';
import { deliver } from '../../../workers/slack/deliver.ts';
import { Journal } from '../../../workers/slack/journal.ts';
import type { Message } from '../../../workflows/messages.ts';
import { orders } from '../plan/orders.ts';
import { approvalWith, evidenceWith } from './samples.ts';

const key = drawKey();
const people = `people:
  persons:
    ana: { name: Ana, slack: U0ANA0001 }
    ben: { name: Ben, slack: U0BEN0002 }
    cara: { name: Cara, slack: U0CARA003 }
  groups: { dba: [ana, ben, cara] }
  approvals: { default: { group: dba, quorum: 2 } }
  slack: { token: '\${file:/etc/lifeboat/slack.token}', gatewayKeys: ['${publicLine(key)}'] }
`;
const { plan } = loadPlanText(`${orders}${people}`, 'orders.yaml');
const persons = { planOf: async (service: string) => (service === plan.service ? plan : undefined) };

const approval = approvalWith();
const evidence = evidenceWith({ approvals: [approval] });
const approve = { kind: 'approve', about: approval.id, code: approval.code } as const;
const place = { channel: 'C0INCIDENT', message: '1700000000.000100' };

const clicked = (user = 'U0BEN0002', occasion = '1700000001.000200', meaning: SlackClick['meaning'] = approve) =>
  clickOf(user, occasion, { run: evidence.run, meaning, place });

/** A run that answers as it is told, and remembers what was sent to it. */
function run(reply: Reply = { kind: 'answered', words: 'approved, 1 of 2' }) {
  const sent: { message: Message; updateId: string }[] = [];
  const runs = {
    evidence: async () => evidence,
    send: async (_run: string, message: Message, updateId: string) => {
      sent.push({ message, updateId });
      return reply;
    },
  };
  return { runs, sent, key, persons };
}

describe('a click on Approve', () => {
  test('is sent as the person whom Slack names, signed by the gateway over exactly what was shown', async () => {
    const to = run();
    expect(await deliver(clicked(), to)).toEqual({ outcome: 'counted', said: 'approved, 1 of 2', person: 'ben' });
    const [sent] = to.sent;
    expect(sent?.message).toMatchObject({
      kind: 'approve',
      click: { by: 'ben', channel: 'slack', approval: approval.id, code: approval.code },
    });
    const signature = sent?.message.click.signature;
    expect(signature).toMatchObject({ as: 'gateway', key: publicLine(key) });
    const text = statementText(approvalStatement(evidence, approval, { by: 'ben', choice: 'approve' }));
    expect(verify(null, Buffer.from(text), createPublicKey(key), Buffer.from(signature?.value ?? '', 'base64'))).toBe(
      true,
    );
  });

  test('of a stranger is refused in words, and the run never hears of it', async () => {
    const to = run();
    const end = await deliver(clicked('U0STIG005'), to);
    expect(end).toMatchObject({ outcome: 'stranger' });
    expect((end as ClickEnd).said).toMatch(/U0STIG005.*no person of the plan of orders/);
    expect(to.sent).toEqual([]);
  });

  test('for what is not asked any more is not signed, and left to the run to refuse', async () => {
    const to = run({ kind: 'refused', words: 'the facts have changed since' });
    const old = clicked('U0BEN0002', '1700000001.000200', { ...approve, code: 'OLD' });
    expect(await deliver(old, to)).toMatchObject({ outcome: 'refused', said: 'the facts have changed since' });
    expect(to.sent[0]?.message.click.signature).toBeUndefined();
  });

  test('after the end of the run is said to come too late', async () => {
    const to = run({ kind: 'over' });
    to.runs.evidence = async () => ({ ...evidence, outcome: 'completed', endedAt: '2026-11-21T15:00:00.000Z' });
    expect(await deliver(clicked(), to)).toMatchObject({
      outcome: 'too-late',
      said: expect.stringMatching(/has ended \(completed\)/),
    });
  });

  test('that nobody answers is not over: it can be delivered again', async () => {
    const to = run();
    to.runs.evidence = async () => {
      throw new Unanswered('Temporal does not answer (nothing came in 4 s).');
    };
    expect(await deliver(clicked(), to)).toEqual({ silent: 'Temporal does not answer (nothing came in 4 s).' });
  });
});

describe('a click that is kept', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'clicks-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const pending = () => readdir(join(directory, 'pending'));
  const written = async () =>
    (await readFile(join(directory, 'answered.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  /** A gateway on this directory, and what it did. */
  async function gateway(delivered: (click: SlackClick) => ReturnType<typeof deliver>) {
    const told: string[] = [];
    const shown: string[] = [];
    const courier = new Courier({
      journal: await Journal.open(directory),
      deliver: delivered,
      answer: async (_click, words) => void told.push(words),
      show: async ({ key: one }) => void shown.push(one),
      logger: pino({ level: 'silent' }),
      pauseMs: () => 1,
    });
    return { courier, told, shown };
  }

  const counted = async (): Promise<ClickEnd> => ({ outcome: 'counted', said: '1 of 2', person: 'ben' });

  test('is on disk before it is delivered, and written down with its answer afterwards', async () => {
    let during: string[] = [];
    const { courier, told, shown } = await gateway(async () => {
      during = await pending();
      return counted();
    });
    await courier.take(clicked());
    await courier.stop();
    expect(during).toEqual(['U0BEN0002-1700000001.000200.json']);
    expect(await pending()).toEqual([]);
    expect(await written()).toMatchObject([
      { user: 'U0BEN0002', person: 'ben', outcome: 'counted', said: '1 of 2', run: evidence.run },
    ]);
    expect(told).toEqual(['✓ 1 of 2']);
    expect(shown).toHaveLength(1);
  });

  test('is delivered by the next gateway when this one dies before the answer, under the same name', async () => {
    const ids: string[] = [];
    const dying = await gateway(async ({ key: id }) => {
      ids.push(id);
      return new Promise(() => undefined);
    });
    await dying.courier.take(clicked());
    const next = await gateway(async ({ key: id }) => {
      ids.push(id);
      return counted();
    });
    expect(await next.courier.resume()).toBe(1);
    await next.courier.take(clicked());
    await next.courier.stop();
    expect(new Set(ids).size).toBe(1);
    expect(next.told).toEqual(['✓ 1 of 2']);
  });

  test('does nothing the second time, also after the gateway was started anew', async () => {
    let delivered = 0;
    const count = async () => {
      delivered += 1;
      return counted();
    };
    const first = await gateway(count);
    await Promise.all([first.courier.take(clicked()), first.courier.take(clicked())]);
    await first.courier.stop();
    const second = await gateway(count);
    expect(await second.courier.resume()).toBe(0);
    await second.courier.take(clicked());
    await second.courier.stop();
    expect(delivered).toBe(1);
    expect(await written()).toHaveLength(1);
  });

  test('waits while nobody answers, which the person is told once, and is delivered then', async () => {
    let tries = 0;
    const { courier, told } = await gateway(async () => {
      tries += 1;
      return tries < 4 ? { silent: 'Temporal does not answer' } : counted();
    });
    await courier.take(clicked());
    await expect.poll(() => told.length).toBe(2);
    await courier.stop();
    expect(tries).toBe(4);
    expect(told).toEqual([expect.stringMatching(/^… The run does not answer.*Your click is kept/), '✓ 1 of 2']);
  });

  test('waits for those before it in the same run, and not for those of another', async () => {
    const order: string[] = [];
    let release: (() => void) | undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { courier } = await gateway(async ({ key: id, run: of }) => {
      if (id.endsWith('1.1')) await blocked;
      order.push(`${of} ${id}`);
      return counted();
    });
    await courier.take(clicked('U0ANA0001', '1.1'));
    await courier.take(clicked('U0BEN0002', '1.2'));
    await courier.take({ ...clicked('U0BEN0002', '1.3'), run: 'payments-0001' });
    await expect.poll(() => order).toEqual(['payments-0001 U0BEN0002-1.3']);
    release?.();
    const rest = ['orders-7f3a U0ANA0001-1.1', 'orders-7f3a U0BEN0002-1.2'];
    await expect.poll(() => order.slice(1)).toEqual(rest);
    await courier.stop();
  });

  test('that breaks the gateway itself is answered too', async () => {
    const { courier, told } = await gateway(async () => {
      throw new Error('no such thing');
    });
    await courier.take(clicked());
    await courier.stop();
    expect(told).toEqual([expect.stringMatching(/^✗ This click could not be delivered: no such thing/)]);
    expect(await written()).toMatchObject([{ outcome: 'undelivered' }]);
  });

  test('with half a line in the file of answers loses none of the others', async () => {
    const { courier } = await gateway(counted);
    await courier.take(clicked());
    await courier.stop();
    const file = join(directory, 'answered.jsonl');
    const { appendFile } = await import('node:fs/promises');
    await appendFile(file, '{"key":"U0BEN');
    const next = await gateway(counted);
    await next.courier.take(clicked());
    await next.courier.stop();
    expect(next.told).toEqual([]);
  });
});
