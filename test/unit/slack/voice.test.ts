/** What the gateway shows after a click: the message that was clicked, as its own question stands now. */
import { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { clickOf, type SlackClick } from '../../../workers/slack/click.ts';
import { Persons } from '../../../workers/slack/persons.ts';
import type { Runs } from '../../../workers/slack/runs.ts';
import { voice } from '../../../workers/slack/voice.ts';
import { approvalWith, decisionWith, evidenceWith } from './samples.ts';

const logger = pino({ level: 'silent' });
const place = { channel: 'C0INCIDENT', message: '1700000000.000100' };

/** What the clicked message is made to show, as text. */
async function shownAfter(evidence: Evidence, meaning: SlackClick['meaning']): Promise<string[]> {
  const client = new WebClient('xoxb-none');
  const update = vi.spyOn(client.chat, 'update').mockResolvedValue({ ok: true });
  const runs: Runs = {
    evidence: async () => evidence,
    open: async () => [],
    abortPlan: () => Promise.reject(new Error('nobody asks for it here')),
    send: () => Promise.reject(new Error('nobody sends here')),
    start: () => Promise.reject(new Error('nobody starts here')),
    recoveryWindow: () => Promise.reject(new Error('nobody asks for it here')),
  };
  const speaking = voice({ client, persons: new Persons('/none', logger), runs, logger });
  await speaking.show(clickOf('U0BEN0002', '1700000001.000200', { run: evidence.run, meaning, place }));
  return update.mock.calls.map(([message]) => JSON.stringify(message));
}

test('a late click on a failed step that has failed again leaves its message dead: the new question has its own', async () => {
  const first = decisionWith({ action: 'retry', by: 'ana', closedAt: '2026-11-21T14:02:00.000Z' });
  const second = decisionWith({ attempt: 2, code: 'N4PC9USX' });
  const evidence = evidenceWith({ decisions: [first, second] });
  const meaning = { kind: 'decide', about: first.step, code: first.code, action: 'retry' } as const;
  const [shown = ''] = await shownAfter(evidence, meaning);
  expect(shown).toContain(first.code);
  expect(shown).not.toContain(second.code);
  expect(shown).not.toContain('"button"');
});

test('a click on the question of before a reset does not give its message the buttons of the new one', async () => {
  const evidence = evidenceWith({ approvals: [approvalWith()] });
  const about = approvalWith().id;
  expect(await shownAfter(evidence, { kind: 'approve', about, code: '0LDC0DE0' })).toEqual([]);
  expect(await shownAfter(evidence, { kind: 'approve', about, code: approvalWith().code })).toHaveLength(1);
});
