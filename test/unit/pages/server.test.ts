import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pagesServer } from '../../../workers/pages/server.ts';
import { proven, running } from '../evidence/samples.ts';
import { FakeSources } from './estate.ts';

let sources: FakeSources;
let server: Server;
let base: string;

beforeEach(async () => {
  sources = new FakeSources();
  server = pagesServer(
    { ...sources, engineUrl: (run) => `http://engine.example/${run ?? ''}` },
    pino({ level: 'silent' }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const get = (path: string, init?: RequestInit) => fetch(base + path, init);
const text = async (path: string) => (await get(path)).text();

describe('a run', () => {
  test('that goes on is shown from itself, and followed', async () => {
    sources.know(running());
    const page = await text('/runs/orders-7f3a');
    expect(page).toContain('<main data-refresh="2000">');
    expect(page).toContain('phase 2 of 5, database');
    expect(page).toContain('href="http://engine.example/orders-7f3a"');
  });

  test('that is over is shown from the store, and not followed', async () => {
    sources.know(running(), { status: 'completed' });
    sources.stored.push(proven());
    const page = await text('/runs/orders-7f3a');
    expect(page).toContain('orders can be recovered');
    expect(page).not.toContain('data-refresh=');
  });

  test('is the stored bytes as JSON, whose hash the page shows', async () => {
    sources.stored.push(proven());
    const json = await text('/runs/orders-7f3a.json');
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(proven())));
    expect(await text('/runs/orders-7f3a')).toContain(createHash('sha256').update(json).digest('hex'));
  });

  test('is there as Markdown', async () => {
    sources.stored.push(proven());
    const answer = await get('/runs/orders-7f3a.md');
    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await answer.text()).toContain('# PROVEN: orders can be recovered');
  });

  test('is shown from Temporal when the store is down', async () => {
    sources.know(proven());
    sources.storeDown = true;
    expect(await text('/runs/orders-7f3a')).toContain('orders can be recovered');
  });

  test('is shown from the store when Temporal is down', async () => {
    sources.stored.push(proven());
    sources.engineDown = true;
    expect(await text('/runs/orders-7f3a')).toContain('orders can be recovered');
  });

  test('that was terminated says that nothing was undone', async () => {
    sources.know(running(), { status: 'terminated', endedAt: '2026-11-21T14:05:00.000Z' });
    const page = await text('/runs/orders-7f3a');
    expect(page).toContain('ABORTED');
    expect(page).toContain('nothing was undone');
    expect(page).not.toContain('data-refresh=');
  });

  test('whose control worker is silent is asked for again, and is not called unknown', async () => {
    sources.know(running());
    sources.workersDown = true;
    const answer = await get('/runs/orders-7f3a');
    expect(answer.status).toBe(503);
    const page = await answer.text();
    expect(page).toContain('No control worker answers');
    expect(page).toContain('data-refresh="2000"');
  });

  test('that was refused at once says why', async () => {
    const known = {
      run: 'typo',
      runbook: 'monthly-drill',
      status: 'failed',
      startedAt: '2026-11-21T12:00:00.000Z',
    } as const;
    sources.runs.set('typo', { known, failure: { type: 'InputInvalid', message: 'did you mean "service"?' } });
    expect(await text('/runs/typo')).toContain('InputInvalid: did you mean &quot;service&quot;?');
  });

  test('that has not read its plan is starting', async () => {
    const known = { run: 'new', runbook: 'backup', status: 'running', startedAt: '2026-11-21T12:00:00.000Z' } as const;
    sources.runs.set('new', { known });
    expect(await text('/runs/new')).toContain('new is starting');
  });

  test('that nobody knows is 404, but 503 while somebody who could know is silent', async () => {
    expect((await get('/runs/orders-0000')).status).toBe(404);
    sources.storeDown = true;
    expect((await get('/runs/orders-0000')).status).toBe(503);
    expect((await get('/runs/orders-0000.json')).headers.get('content-type')).toContain('application/json');
  });
});

describe('every answer', () => {
  test('may not be kept, framed, sniffed, or load anything that is not its own', async () => {
    sources.stored.push(proven());
    for (const path of ['/', '/runs/orders-7f3a', '/runs/orders-7f3a.json', '/nowhere', '/health']) {
      const { headers } = await get(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toContain('unsafe');
    }
  });

  test('has the hashes of the style and the script that its pages have', async () => {
    sources.know(running());
    const answer = await get('/runs/orders-7f3a');
    const page = await answer.text();
    for (const tag of ['style', 'script']) {
      const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
      const hash = createHash('sha256').update(content).digest('base64');
      expect(answer.headers.get('content-security-policy')).toContain(`${tag}-src 'sha256-${hash}'`);
    }
  });

  test('to anything but a read is a refusal', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await get('/', { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('to HEAD is that to GET without its body', async () => {
    sources.stored.push(proven());
    const head = await get('/runs/orders-7f3a.json', { method: 'HEAD' });
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(1000);
    expect(await head.text()).toBe('');
  });

  test.each(['/nowhere', '/runs/', '/runs/a/b', '/runs/%zz', '/runs/..%2F..%2Fetc%2Fpasswd', '/favicon.ico'])(
    'to %s is 404 in words',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toMatch(/There is (nothing here|no run)/);
    },
  );

  test('repeats a name only as text', async () => {
    const page = await text(`/runs/${encodeURIComponent('<script>alert(1)</script>')}`);
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;');
  });
});

test('the first page shows each service, its runs, and who did not answer', async () => {
  sources.stored.push(proven());
  sources.engineDown = true;
  const page = await text('/');
  for (const words of ['Could we recover?', 'orders', 'PROVEN', 'href="/runs/orders-7f3a"', 'Temporal does not answer'])
    expect(page).toContain(words);
});
