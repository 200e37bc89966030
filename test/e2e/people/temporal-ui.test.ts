/** The Temporal UI in a real browser: a drill is started, an approval given, a run cancelled, all by its own forms. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval } from '../../../evidence/people.ts';
import { until } from '../../../lab/until.ts';
import { open, useBrowser } from '../pages/browser.ts';
import { useAskingEstate } from './asking-estate.ts';
import { TemporalUi } from './temporal-ui.ts';

const estate = useAskingEstate();
const browser = useBrowser();
let page: Page;
let ui: TemporalUi;

beforeEach(async () => {
  await estate().begin({ quorum: 1, unsigned: 'allowed' });
  ({ page } = await open(browser(), { width: 1400 }));
  ui = new TemporalUi(page, estate().uiUrl);
});
afterEach(async () => {
  await page.close();
  await estate().rest();
});

const workflow = (run: string): WorkflowHandle => estate().server.client.workflow.getHandle(run);
const evidenceOf = (run: string) => workflow(run).query<Evidence>('evidence');

function asked(run: string): Promise<Approval> {
  return until({ what: `${run} asks for its approval`, withinMs: 90_000, everyMs: 100 }, async () => {
    const { approvals, failure } = await evidenceOf(run);
    if (failure !== undefined) throw new Error(failure.message);
    return approvals?.find(({ outcome }) => outcome === undefined);
  });
}

async function ended(run: string): Promise<string> {
  return until({ what: `${run} ends`, withinMs: 90_000, everyMs: 100 }, async () => {
    const { status } = await workflow(run).describe();
    return status.name === 'RUNNING' ? undefined : status.name;
  });
}

/** The live page, once it says this; it is asked anew by the key that it names. */
async function livePage(run: string, words: string): Promise<string> {
  await ui.open(run, 'user-metadata');
  return until({ what: `the live page of ${run} says "${words}"`, withinMs: 90_000, everyMs: 300 }, async () => {
    // It is drawn in a frame of its own.
    const texts = await Promise.all(page.frames().map((frame) => frame.locator('body').textContent()));
    const text = texts.join(' ');
    if (text.includes(words)) return text;
    await page.keyboard.press('r');
    return undefined;
  });
}

test('a drill starts from {}, and its live page says that it is proven', async () => {
  await ui.start('monthlyDrill', 'orders-from-the-ui', '{}');
  expect(
    await until({ what: 'the drill is there', withinMs: 90_000, everyMs: 100 }, () => there('orders-from-the-ui')),
  ).toBe(true);
  expect(await ended('orders-from-the-ui')).toBe('COMPLETED');
  expect((await evidenceOf('orders-from-the-ui')).outcome).toBe('proven');
  expect(await livePage('orders-from-the-ui', 'PROVEN')).toContain('orders can be recovered');
});

async function there(run: string): Promise<true | undefined> {
  return workflow(run)
    .describe()
    .then(
      () => true as const,
      () => undefined,
    );
}

test('an approval is given by the update form, with the JSON that the live page shows', async () => {
  const run = 'orders-approved-in-the-ui';
  await ui.start('backup', run, '{"service":"orders","mode":"live","requestedBy":"cara"}');
  const { code } = await asked(run);
  const shown = await livePage(run, 'Waits for approval');
  const json = /\{"by":"YOUR-NAME".*?\}/.exec(shown.replaceAll('\n', ''))?.[0] ?? '';
  expect(JSON.parse(json)).toEqual({ by: 'YOUR-NAME', code, channel: 'temporal-ui' });
  expect((await ui.updates()).join('\n')).toMatch(/approve[\s\S]*reject[\s\S]*decide[\s\S]*abort|abort[\s\S]*approve/);
  expect(await ui.update('approve', json.replace('YOUR-NAME', 'cara'))).toMatchObject({
    red: true,
    said: expect.stringContaining('started this run'),
  });
  // One is enough by the plan; because nobody is certain who has started the run, it takes two.
  for (const person of ['ana', 'ben'])
    expect(await ui.update('approve', json.replace('YOUR-NAME', person))).toMatchObject({ red: false });
  expect(await ended(run)).toBe('COMPLETED');
  const { approvals } = await evidenceOf(run);
  expect(approvals?.[0]?.clicks.map(({ by, channel, signed, counted }) => [by, channel, signed, counted])).toEqual([
    ['cara', 'temporal-ui', 'no', false],
    ['ana', 'temporal-ui', 'no', true],
    ['ben', 'temporal-ui', 'no', true],
  ]);
});

test('a run that is cancelled by the blue button takes back what it has done', async () => {
  const run = 'orders-cancelled-in-the-ui';
  await ui.start('backup', run, '{"service":"orders","mode":"live","requestedBy":"cara"}');
  await asked(run);
  estate().fake.calls.splice(0);
  await ui.open(run, 'history');
  await ui.requestCancellation();
  expect(await ended(run)).toBe('CANCELLED');
  expect(estate().fake.calls).toContain('noLiveRun');
  const evidence = await evidenceOf(run);
  expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(evidence.approvals?.[0]?.outcome).toBe('ended');
  expect(await livePage(run, 'ABORTED')).not.toContain('Waits for approval');
});
