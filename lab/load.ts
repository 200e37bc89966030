/**
 * Buys at the shop, so many orders a second, and pays each. Says every second how many succeeded.
 *
 * Environment: LAB_LOAD_SHOP (address), LAB_LOAD_RATE (orders a second), LAB_LOAD_REPORT (a file that always holds the newest report).
 * LAB_LOAD_TIMES, where it is set: a file that gets a line for each purchase, see load-report.ts.
 */
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { required } from './environment.ts';
import { type LoadReport, purchaseLine } from './load-report.ts';

const shop = new URL(required('LAB_LOAD_SHOP'));
const rate = Number(required('LAB_LOAD_RATE'));
const reportFile = required('LAB_LOAD_REPORT');
const timesFile = process.env.LAB_LOAD_TIMES;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
/** More orders than this are never under way at once: a shop that hangs is not buried under requests. */
const mostAtOnce = 16;

const count = { orders: 0, failed: 0, underWay: 0 };
let customers = 0;
const purchases: string[] = [];

async function buy(): Promise<void> {
  count.underWay += 1;
  const started = performance.now();
  try {
    if (customers === 0) customers = Number((await ask<{ newest: number }>('GET', '/customers')).newest);
    const { id } = await ask<{ id: string }>('POST', '/orders', { customer: 1 + pick(customers), lines: someLines() });
    await ask('POST', `/orders/${id}/payment`);
    count.orders += 1;
    purchases.push(purchaseLine({ endedAt: Date.now(), tookMs: performance.now() - started }));
  } catch {
    count.failed += 1;
  } finally {
    count.underWay -= 1;
  }
}

function someLines(): { product: number; quantity: number }[] {
  return Array.from({ length: 1 + pick(3) }, () => ({ product: 1 + pick(500), quantity: 1 + pick(4) }));
}

function pick(below: number): number {
  return Math.floor(Math.random() * below);
}

function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: shop.hostname, port: shop.port, method, path, agent, timeout: 15_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text) as T);
        else reject(new Error(`${path} answered ${response.statusCode}`));
      });
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`${path} did not answer`)));
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Starts what is due since the last tick; what could not be started in time is not made up for later. */
function keepPace(): void {
  const everyMs = 20;
  let due = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    due = Math.min(due + ((now - last) / 1_000) * rate, mostAtOnce);
    last = now;
    for (; due >= 1 && count.underWay < mostAtOnce; due -= 1) void buy();
  }, everyMs);
}

function reportEverySecond(): void {
  let before = { at: performance.now(), orders: 0 };
  setInterval(() => {
    const now = { at: performance.now(), orders: count.orders };
    const ordersPerSecond = ((now.orders - before.orders) / (now.at - before.at)) * 1_000;
    before = now;
    void report({ ordersPerSecond: Math.round(ordersPerSecond), orders: count.orders, failed: count.failed });
  }, 1_000);
}

async function report(newest: LoadReport): Promise<void> {
  await writeFile(`${reportFile}.new`, JSON.stringify(newest));
  await rename(`${reportFile}.new`, reportFile);
  const times = purchases.splice(0).join('');
  if (timesFile !== undefined) await appendFile(timesFile, times);
}

process.on('SIGTERM', () => process.exit(0));
keepPace();
reportEverySecond();
