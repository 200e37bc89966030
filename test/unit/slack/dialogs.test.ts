/** What is read out of a dialog that somebody has filled in. */
import { describe, expect, test } from 'vitest';
import { factsBlocks } from '../../../activities/notify/slack-blocks.ts';
import type { AbortPlan } from '../../../evidence/people.ts';
import { factsInTime } from '../../../workers/slack/app.ts';
import { answersTo } from '../../../workers/slack/commands.ts';
import { filledIn, wordsDialog, wordsSaid } from '../../../workers/slack/modals.ts';
import { wantedOf } from '../../../workers/slack/starts.ts';
import { approvalWith, decisionWith, evidenceWith } from './samples.ts';

const place = { channel: 'C0INCIDENT', thread: '1700000000.000001', message: '1700000000.000100' };
const meaning = { run: 'orders-7f3a', about: 'database/x', code: 'ABCD' };

const said = (wanted: Parameters<typeof wordsDialog>[0], filled: Record<string, string>, more = {}) =>
  wordsSaid(wordsDialog(wanted, { ...meaning, ...more }, place).private_metadata ?? '', filled);

describe('a dialog for words', () => {
  test('shows what it is about once more: the facts of the approval, the failure of the step', () => {
    const evidence = evidenceWith({ approvals: [approvalWith()], decisions: [decisionWith()] });
    const shown = (wanted: 'note' | 'skip', code: string) =>
      JSON.stringify(wordsDialog(wanted, { ...meaning, code }, place, factsBlocks(evidence, code)).blocks);
    for (const fact of ['from', '`db1`', 'to', '`db2`', 'lag', '0 bytes'])
      expect(shown('note', 'K7QM2XPA')).toContain(fact);
    expect(shown('skip', 'M3NB8TRW')).toContain('ArchiveUnreachable: the store does not answer');
    expect(factsBlocks(evidence, '0THERC0D')).toEqual([]);
  });

  test('of an abort shows what it would stop, take back in order, and leave, as far as the run says so in time', async () => {
    const evidence = evidenceWith({ decisions: [decisionWith()] });
    const plan: AbortPlan = {
      code: 'AB0RT123',
      stops: ['Wait for the standby'],
      undoes: [{ name: 'Stop the primary', will: 'start it again' }, { name: 'Close the front door' }],
      stays: [{ name: 'A checkpoint', why: 'it changes nothing' }],
    };
    const runs = { evidence: async () => evidence, abortPlan: async () => plan };
    const button = { ...meaning, code: 'M3NB8TRW' };
    const shown = JSON.stringify(await factsInTime(runs, 'abort', button));
    expect(shown).toMatch(
      /ArchiveUnreachable.*Is stopped first.*Wait for the standby.*1\. Stop the primary: start it again.*2\. Close the front door.*A checkpoint/,
    );
    // The one code that is shown is that of the failed step.
    expect(shown).not.toContain(plan.code);
    expect(JSON.stringify(await factsInTime(runs, 'skip', button))).not.toContain('Is stopped first');
    const silent = { evidence: async () => evidence, abortPlan: () => new Promise<never>(() => undefined) };
    expect(JSON.stringify(await factsInTime(silent, 'abort', button))).toContain('ArchiveUnreachable');
  });

  test('needs a reason for a rejection, a skip and an abort; blanks are none', () => {
    for (const wanted of ['reject', 'skip', 'abort'] as const)
      expect(said(wanted, filledIn({ reason: { reason: { type: 'plain_text_input', value: '   ' } } }))).toHaveProperty(
        'errors.reason',
      );
  });

  test('takes an approval without a note', () => {
    expect(said('note', {})).toEqual({
      run: 'orders-7f3a',
      meaning: { kind: 'approve', about: 'database/x', code: 'ABCD' },
      place,
    });
  });

  test('makes of each what the run is told', () => {
    const kinds = (['reject', 'skip', 'abort'] as const).map((wanted) => {
      const one = said(wanted, { reason: 'no' });
      return one !== undefined && 'meaning' in one ? one.meaning : one;
    });
    expect(kinds).toEqual([
      { kind: 'reject', about: 'database/x', code: 'ABCD' },
      { kind: 'decide', about: 'database/x', code: 'ABCD', action: 'skip' },
      { kind: 'decide', about: 'database/x', code: 'ABCD', action: 'abort' },
    ]);
  });

  test.each(['', 'yesterday', '2026-11-21T14:00:00', '2026-02-31T14:00:00Z'])('refuses "%s" as a moment', (value) => {
    expect(said('choose', { value }, { choice: 'earlier', wants: 'time' })).toHaveProperty('errors.value');
  });

  test('carries a moment with its choice', () => {
    const value = '2026-11-21T14:00:00Z';
    expect(said('choose', { value }, { choice: 'earlier', wants: 'time' })).toMatchObject({
      meaning: { kind: 'approve', choice: 'earlier', value },
    });
  });

  test.each(['', 'null', '{"meaning":{}}', '[1]'])('with the metadata %s says nothing', (metadata) => {
    expect(wordsSaid(metadata, {})).toBeUndefined();
  });
});

describe('a dialog that starts a runbook', () => {
  const filled = { runbook: 'monthly-drill', service: 'orders', mode: 'drill' };

  test('comes to the input that the run is given', () => {
    expect(wantedOf({ ...filled, target: '2026-11-21T14:00:00Z' })).toEqual({
      runbook: 'monthly-drill',
      service: 'orders',
      input: { mode: 'drill', target: '2026-11-21T14:00:00Z' },
    });
  });

  test.each([
    ['a mode that the runbook does not have', { mode: 'live' }, 'mode'],
    ['a target without an offset', { target: '2026-11-21T14:00:00' }, 'target'],
    ['what is no JSON', { input: 'to=db2' }, 'input'],
    ['a list', { input: '[1]' }, 'input'],
    ['a field that it does not know', { input: '{"tarjet":"x"}' }, 'input'],
    ['a name for somebody else', { input: '{"requestedBy":"ben"}' }, 'input'],
    ['a signature from elsewhere', { input: '{"requestSignature":{}}' }, 'input'],
    ['a mode said twice', { input: '{"mode":"live"}' }, 'input'],
    ['no runbook at all', { runbook: 'constructor' }, 'runbook'],
  ])('refuses %s, at its field', (_what, more, field) => {
    expect(wantedOf({ input: '', target: '', ...filled, ...more })).toHaveProperty(['errors', field]);
  });
});

describe('the answer to /lifeboat approve', () => {
  const waiting = (number: number) =>
    Array.from({ length: number }, (_, index) => ({
      run: `orders-${index + 1}`,
      blocks: factsBlocks(evidenceWith(), ''),
    }));

  test('shows five questions, as often as Slack lets a command be answered', () => {
    expect(answersTo(waiting(5)).map(({ words }) => words)).toEqual(
      [1, 2, 3, 4, 5].map((number) => `orders-${number} waits for an answer`),
    );
    expect(answersTo([])).toEqual([{ words: 'Nothing waits for an answer.' }]);
  });

  test('names those for which there is no room, in the last answer', () => {
    const answers = answersTo(waiting(7));
    expect(answers).toHaveLength(5);
    expect(answers.at(-1)).toEqual({
      words: '3 more wait, of orders-5, orders-6, orders-7: /lifeboat approve RUN shows one.',
    });
  });
});
