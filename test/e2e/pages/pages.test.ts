/** The pages as people meet them: in a browser, while a drill goes on and after it. */
import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { buckets } from '../../../lab/backrest.ts';
import { storeClient } from '../../../lab/store.ts';
import { ended, start, useEstate } from '../drill/scenario.ts';
import { contrastOf, type Opened, open, useBrowser } from './browser.ts';

const scenario = useEstate({ load: { ordersPerSecond: 20 } });
const browser = useBrowser();

const shown = (word: string) => `.verdict .word:text-is("${word}")`;

/** Opens the page of a run that has just begun, and stays on it until the run has ended. */
async function watched(handle: WorkflowHandle): Promise<Opened & { sameDocument: unknown }> {
  const opened = await open(browser());
  const { page } = opened;
  await page.goto(`${scenario().estate.pagesUrl}/runs/${handle.workflowId}`);
  await page.locator(shown('RUNNING')).waitFor({ timeout: 20_000 });
  await page.evaluate('window.sameDocument = true');
  await page.locator(shown('PROVEN')).waitFor({ timeout: 60_000 });
  return { ...opened, sameDocument: await page.evaluate('window.sameDocument') };
}

let run: string;
let handle: WorkflowHandle;
let first: Awaited<ReturnType<typeof watched>>;

beforeAll(async () => {
  handle = await start(scenario(), 'monthlyDrill', {});
  run = handle.workflowId;
  first = await watched(handle);
});

describe('the page of a drill', () => {
  test('follows it from RUNNING to PROVEN without being loaded again, and then rests', async () => {
    expect(first.sameDocument).toBe(true);
    expect(await first.page.title()).toMatch(/^PROVEN: orders can be recovered/);
    expect(await first.page.locator('main[data-refresh]').count()).toBe(0);
  });

  test('makes the browser complain of nothing, and go nowhere else', () => {
    expect(first.complaints).toEqual([]);
    expect([...first.origins]).toEqual([new URL(scenario().estate.pagesUrl).origin]);
  });

  test('says what the drill measured, of each class of data too', async () => {
    const { objectives } = await ended(handle);
    expect(objectives.classes).toEqual([{ name: 'money', tables: ['payments', 'accounts'], rpoMs: 60_000 }]);
    const cards = await first.page.locator('.cards').textContent();
    for (const fact of [
      'Time to recover',
      'Data that would be lost',
      'money: within the 1 min promised',
      'Data proven',
    ])
      expect(cards).toContain(fact);
  });

  test.each(['light', 'dark'] as const)('has an outcome that can be read, %s', async (colors) => {
    const { page } = await open(browser(), { colors });
    await page.goto(`${scenario().estate.pagesUrl}/runs/${run}`);
    expect(await contrastOf(page, '.verdict .word')).toBeGreaterThan(4.5);
    expect(await contrastOf(page, 'h1')).toBeGreaterThan(7);
    await page.close();
  });
});

describe('all pages', () => {
  test('start from a list that has the run, and leads to it', async () => {
    const { page, complaints } = await open(browser());
    await page.goto(scenario().estate.pagesUrl);
    expect(await page.locator('.card').first().textContent()).toMatch(/orders\s+[✓!] proven .* ago/);
    await page.locator('tr', { hasText: 'PROVEN' }).getByRole('link', { name: run }).click();
    await page.locator(shown('PROVEN')).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('fit a telephone', async () => {
    const { page } = await open(browser(), { width: 390 });
    for (const path of ['/', `/runs/${run}`]) {
      await page.goto(scenario().estate.pagesUrl + path);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
    await page.close();
  });

  test('can only be read', async () => {
    for (const path of ['/', `/runs/${run}`, `/runs/${run}.json`]) {
      const answer = await fetch(scenario().estate.pagesUrl + path, { method: 'POST' });
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
    }
  });
});

describe('the JSON', () => {
  test('is the evidence in the store, byte for byte, and the pages name its hash', async () => {
    const { estate } = scenario();
    const answer = await fetch(`${estate.pagesUrl}/runs/${run}.json`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(JSON.parse(bytes.toString())).toEqual(await ended(handle));
    expect(bytes.equals(await stored('evidence.json'))).toBe(true);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await first.page.locator('.facts').textContent()).toContain(sha256);
    const report = (await stored('report.html')).toString();
    expect(report).toContain(sha256);
    expect(report).not.toMatch(/<script|<link|\ssrc=/);
  });
});

async function stored(name: string): Promise<Buffer> {
  const client = await storeClient(scenario().estate.site);
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: buckets.evidence }));
    const key = Contents.find(({ Key = '' }) => Key.includes(`/${run}/`) && Key.endsWith(`/${name}`))?.Key;
    if (key === undefined) throw new Error(`the store has no ${name} of ${run}`);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: buckets.evidence, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  } finally {
    client.destroy();
  }
}
