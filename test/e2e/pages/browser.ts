/** A real Chromium, and what it has to complain of. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { needParts } from '../../../parts/parts.ts';

/** Starts Chromium before the tests of a file, installing it where this user may; the error says how, where not. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    const parts = await needParts(['chromium'], (line) => console.log(line));
    browser = await chromium.launch({ executablePath: parts.chromium.path });
  }, 300_000);
  afterAll(() => browser?.close());
  return () => {
    if (browser === undefined) throw new Error('Chromium did not start');
    return browser;
  };
}

export interface Look {
  width?: number;
  colors?: 'light' | 'dark';
}

export interface Opened {
  page: Page;
  /** What the browser said of its own accord: errors, and loads that the page forbids. */
  complaints: string[];
  /** Where it went for anything. */
  origins: Set<string>;
}

export async function open(browser: Browser, { width = 1200, colors = 'light' }: Look = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 844 }, colorScheme: colors });
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { page, complaints, origins };
}

/** Contrast of an element's text with what lies behind it, by WCAG 2.2: from 1 to 21. */
export async function contrastOf(page: Page, selector: string): Promise<number> {
  const [ink, paper] = await page.evaluate<[string, string]>(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    const painted = (one) => {
      if (one === null) return 'rgb(255, 255, 255)';
      const color = getComputedStyle(one).backgroundColor;
      return color === 'rgba(0, 0, 0, 0)' ? painted(one.parentElement) : color;
    };
    return [getComputedStyle(element).color, painted(element)];
  })()`);
  const [brighter = 0, darker = 0] = [luminance(ink), luminance(paper)].sort((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (/^rgb\((\d+), (\d+), (\d+)\)$/.exec(color)?.slice(1) ?? []).map((text) => {
    const share = Number(text) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
