/** People answer in the workspace, in a real browser: what they see, what they are told, what the run makes of it. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { cast, incidentChannel, stranger } from '../../../lab/slack/cast.ts';
import { eventually } from '../control/rig.ts';
import { contrastOf, open, useBrowser } from '../pages/browser.ts';
import { type Question, useSlack } from './rig.ts';

const slack = useSlack();
const browser = useBrowser();

/** The workspace as somebody sees it. */
async function as(user: string, look = {}): Promise<Page> {
  const { page } = await open(browser(), look);
  await page.goto(`${slack().url}/?as=${user}`);
  return page;
}

const message = (page: Page, { ts }: Pick<Question, 'ts'>): Locator => page.locator(`[data-ts="${ts}"]`);
const press = (page: Page, question: Question, name: string) =>
  message(page, question).getByRole('button', { name, exact: true }).click();
const confirm = (page: Page, name: string) =>
  page.locator('dialog[open]').getByRole('button', { name, exact: true }).click();
/** What the app says to this person alone, newest last. */
const told = (page: Page) => page.locator('.message.only');

async function clicksOf({ run }: Question) {
  return (await slack().evidence(run)).approvals?.[0]?.clicks ?? [];
}

describe('an approval', () => {
  test('is given by two people, each asked again with code and facts, and the run goes on', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await press(ben, question, 'Approve');
    const dialog = ben.locator('dialog[open]');
    expect(await dialog.textContent()).toMatch(
      new RegExp(`Approve: Cross the river\\?.*${question.approval.code}.*ferry.*db1`, 's'),
    );
    await confirm(ben, 'Approve');
    await told(ben).filter({ hasText: '1 of 2' }).first().waitFor();
    await message(ben, question).getByText('@Ben Okafor approved').waitFor();

    const cara = await as(cast.cara.slack);
    await press(cara, question, 'Approve');
    await confirm(cara, 'Approve');
    await message(cara, question).getByText('✓ Approved').first().waitFor();
    expect(await message(cara, question).getByRole('button').count()).toBe(0);
    await question.handle.result();
    const { outcome, approvals } = await slack().evidence(question.run);
    expect(outcome).toBe('completed');
    expect(approvals?.[0]?.clicks).toMatchObject([
      { by: 'ben', channel: 'slack', signed: 'gateway', counted: true },
      { by: 'cara', channel: 'slack', signed: 'gateway', counted: true },
    ]);
    await Promise.all([ben.close(), cara.close()]);
  });

  test('is not given by a click that was not confirmed', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await press(ben, question, 'Approve');
    await confirm(ben, 'Not yet');
    await press(ben, question, 'Reject…');
    await ben.locator('dialog.modal').getByRole('button', { name: 'Not yet' }).click();
    await ben.locator('dialog.modal').waitFor({ state: 'detached' });
    expect(await clicksOf(question)).toEqual([]);
    await question.handle.terminate();
    await ben.close();
  });

  test('is not given by a stranger, nor by whoever asked for the run; both are told why', async () => {
    const question = await slack().ask();
    for (const [user, words] of [
      [stranger.slack, /U0STIG005.* no person of the plan of orders/],
      [cast.ana.slack, /you have started this run/i],
    ] as const) {
      const page = await as(user);
      await press(page, question, 'Approve');
      await confirm(page, 'Approve');
      await told(page).filter({ hasText: words }).first().waitFor();
      await page.close();
    }
    expect((await clicksOf(question)).map(({ by, counted }) => [by, counted])).toEqual([['ana', false]]);
    await question.handle.terminate();
  });

  test('is rejected with a reason that stands in the evidence; blanks are no reason', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await press(ben, question, 'Reject…');
    const dialog = ben.locator('dialog.modal');
    await dialog.getByLabel('Why not?').fill('   ');
    await dialog.getByRole('button', { name: 'Reject' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Why not?').fill('the tide is out <!channel>');
    await dialog.getByRole('button', { name: 'Reject' }).click();
    await question.handle.result().catch(() => undefined);
    const evidence = await slack().evidence(question.run);
    expect(evidence).toMatchObject({ outcome: 'aborted', approvals: [{ outcome: 'rejected' }] });
    expect(evidence.approvals?.[0]?.clicks[0]).toMatchObject({
      kind: 'reject',
      by: 'ben',
      counted: true,
      reason: 'the tide is out <!channel>',
    });
    await message(ben, question).getByText('✗ Rejected').first().waitFor();
    // What somebody has written calls nobody.
    expect(await message(ben, question).locator('.everybody').count()).toBe(0);
    await ben.close();
  });

  test('is dead once it has ended: a click on what is still on a screen is answered, and does nothing', async () => {
    const question = await slack().ask();
    const { blocks } = await shown(question);
    for (const user of [cast.ben.slack, cast.cara.slack]) await click(user, question, blocks);
    await question.handle.result();
    const before = await clicksOf(question);
    await click(cast.ben.slack, question, blocks, 0);
    const words = await eventually('an answer', async () => {
      const { messages } = await slack().workspace.state();
      return messages.findLast(({ onlyFor, text }) => onlyFor === cast.ben.slack && text.includes(question.run))?.text;
    });
    expect(words).toMatch(/has ended \(completed\). This click came too late and did nothing/);
    expect(await clicksOf(question)).toEqual(before);
  });
});

async function shown({ ts }: Question) {
  const { messages } = await slack().workspace.state();
  const blocks = messages.find((one) => one.ts === ts)?.blocks ?? [];
  return { blocks };
}

/** Confirmed, without a browser. @param version as the message was so many updates ago */
async function click(
  user: string,
  { channel, ts }: Question,
  blocks: { type: string; block_id: string }[],
  version?: number,
): Promise<void> {
  const block = blocks.find(({ type }) => type === 'actions')?.block_id ?? '';
  const button = { channel, ts, block, action: 'lifeboat:approve' };
  await slack().workspace.click(user, version === undefined ? button : { ...button, version });
  await eventually(
    'the click is acknowledged',
    async () => (await slack().workspace.state()).told.at(-1)?.outcome === 'acknowledged' || undefined,
  );
}

describe('/lifeboat', () => {
  const type = async (page: Page, line: string) => {
    await page.locator('#line').fill(line);
    await page.getByRole('button', { name: 'Send' }).click();
  };

  test('tells a person what is running and who is awaited, and a stranger nothing', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await type(ben, '/lifeboat status');
    await told(ben).filter({ hasText: question.run }).filter({ hasText: 'Cross the river' }).waitFor();
    await type(ben, '/lifeboat capsize');
    await told(ben).filter({ hasText: '"capsize" is no command' }).waitFor();
    const stig = await as(stranger.slack);
    await type(stig, '/lifeboat status');
    await told(stig).filter({ hasText: 'no person of any plan' }).waitFor();
    expect(await stig.locator('#messages').textContent()).not.toContain(`run ${question.run} asks`);
    await question.handle.terminate();
    await Promise.all([ben.close(), stig.close()]);
  });

  test('shows what waits with buttons that count, where only the person sees them', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await type(ben, `/lifeboat approve ${question.run}`);
    const own = told(ben).filter({ hasText: question.approval.code });
    await own.getByRole('button', { name: 'Approve with a note…' }).click();
    await ben.locator('dialog.modal').filter({ hasText: 'ferry' }).waitFor();
    await ben.locator('dialog.modal').getByLabel('A note for the record').fill('seen on the plotter');
    await ben.locator('dialog.modal').getByRole('button', { name: 'Approve' }).click();
    const clicks = await eventually('it counts', async () => {
      const seen = await clicksOf(question);
      return seen.length > 0 ? seen : undefined;
    });
    expect(clicks).toMatchObject([{ by: 'ben', counted: true, reason: 'seen on the plotter' }]);
    await question.handle.terminate();
    await ben.close();
  });

  test('shows what an abort would do, and aborts for a reason', async () => {
    const question = await slack().ask();
    const ben = await as(cast.ben.slack);
    await type(ben, `/lifeboat abort ${question.run}`);
    const dialog = ben.locator('dialog.modal');
    await dialog.getByText('Is taken back, in this order').waitFor();
    expect(await dialog.textContent()).toMatch(/1\. Load the ferry.*2\. Close the gate/s);
    await dialog.getByLabel('Why?').fill('storm');
    await dialog.getByRole('button', { name: 'Abort it' }).click();
    await question.handle.result().catch(() => undefined);
    const { outcome, failure } = await slack().evidence(question.run);
    expect(outcome).toBe('aborted');
    expect(failure?.message).toMatch(/Ben.*storm/);
    await ben.close();
  });

  test('starts a run as the person who asked, signed, and says what is wrong at its field', async () => {
    const ben = await as(cast.ben.slack);
    await type(ben, '/lifeboat start');
    const dialog = ben.locator('dialog.modal');
    await dialog.getByLabel('Runbook').selectOption('backup');
    await dialog.getByLabel('Mode').selectOption('drill');
    await dialog.getByRole('button', { name: 'Start' }).click();
    await dialog.getByRole('alert').filter({ hasText: '"mode" must be one of' }).waitFor();
    await dialog.getByLabel('Mode').selectOption('dry-run');
    await dialog.getByRole('button', { name: 'Start' }).click();
    const words = await told(ben).filter({ hasText: 'Started:' }).textContent();
    const run = /Started: (orders-[0-9a-f]{8})/.exec(words ?? '')?.[1] ?? '';
    const evidence = await eventually('the run says who asked', async () => {
      const seen = await slack().evidence(run);
      return seen.requester === undefined ? undefined : seen;
    });
    expect(evidence).toMatchObject({
      runbook: 'backup',
      mode: 'dry-run',
      requestedBy: 'ben',
      requester: { person: 'ben', certain: true },
    });
    await ben.close();
  });
});

test.each([
  { colors: 'light', width: 1200 },
  { colors: 'dark', width: 1200 },
  { colors: 'light', width: 390 },
] as const)('the page can be read, $colors at $width', async ({ colors, width }) => {
  const page = await as(cast.ben.slack, { colors, width });
  expect(await contrastOf(page, '.body')).toBeGreaterThan(7);
  expect(await contrastOf(page, 'aside nav a')).toBeGreaterThan(4.5);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  expect(await page.title()).toBe(`#${incidentChannel.name}: the lab's workspace`);
  await page.close();
});
