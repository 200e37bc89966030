import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { afterEach, expect, test, vi } from 'vitest';
import { counters, gauges } from '../../../workers/metrics/catalogue.ts';
import { Metrics, serveMetricsAt } from '../../../workers/metrics/metrics.ts';
import { lookOften, pauseAfter } from '../../../workers/metrics/pace.ts';
import { listenFor } from '../../../workers/metrics/pulses.ts';
import { TemporalMetrics } from '../../../workers/metrics/temporal.ts';

const close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.splice(0)) await one();
  vi.useRealTimers();
});

/** A port that is free at this moment. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

async function served(metrics = new Metrics('control')) {
  const port = await freePort();
  const endpoint = await serveMetricsAt({ host: '127.0.0.1', port }, metrics);
  close.push(() => endpoint.close());
  return { port, metrics, url: `http://127.0.0.1:${port}` };
}

/** Values by name and labels, as Prometheus would read them. */
async function scraped(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('metrics are served under one path, to be read only', async () => {
  const { url } = await served();
  const answer = await fetch(`${url}/metrics?x=1`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await answer.text()).toMatch(/^lifeboat_worker_info\{worker="control",version="[^"]+"\} 1$/m);
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  expect(await (await fetch(`${url}/metrics`, { method: 'HEAD' })).text()).toBe('');
});

test('it listens on the address it was given and on no other', async () => {
  const { port } = await served();
  await expect(fetch(`http://127.0.0.2:${port}/metrics`)).rejects.toThrow();
});

test('an address that is taken is said with its name', async () => {
  const { port } = await served();
  await expect(serveMetricsAt({ host: '127.0.0.1', port }, new Metrics('host'))).rejects.toThrow(
    new RegExp(`LIFEBOAT_METRICS is 127.0.0.1:${port}, which cannot be listened on: .*EADDRINUSE`),
  );
});

test('a sample that is no longer known is gone at the next scrape', async () => {
  const metrics = new Metrics('control');
  let up: number | undefined = 1;
  metrics.show(() => (up === undefined ? {} : { temporalUp: [{ labels: {}, value: up }] }));
  expect((await scraped(metrics)).get('lifeboat_temporal_up')).toBe(1);
  up = undefined;
  expect((await scraped(metrics)).get('lifeboat_temporal_up')).toBeUndefined();
});

test('failures are counted by type, and types that nobody has listed share one name', async () => {
  const metrics = new Metrics('host');
  for (const type of ['DiskFull', 'DiskFull', 'select 1; --', 'toString']) metrics.activityFailed(type);
  const values = await scraped(metrics);
  expect(values.get('lifeboat_activity_failures_total{type="DiskFull"}')).toBe(2);
  expect(values.get('lifeboat_activity_failures_total{type="Other"}')).toBe(2);
});

test('hostile words in a label are escaped, and stay one line', async () => {
  const metrics = new Metrics('control');
  metrics.show(() => ({ lastFailure: [{ labels: { service: 'a"} 1\nx{b="', runbook: '\\', type: '' }, value: 3 }] }));
  expect(await metrics.text()).toContain(
    'lifeboat_last_failure_timestamp_seconds{service="a\\"} 1\\nx{b=\\"",runbook="\\\\",type=""} 3\n',
  );
});

test('the age of the pulse grows by itself, starts from the log after a restart, and begins anew with the next one', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.parse('2026-11-21T12:00:00Z') });
  const metrics = new Metrics('pulse');
  const listener = listenFor('orders', metrics);
  const age = async () => (await scraped(metrics)).get('lifeboat_pulse_age_seconds{service="orders"}');
  expect(await age()).toBeUndefined();
  listener.remembered({ number: 1, at: '2026-11-21T11:59:00.000000Z' });
  vi.advanceTimersByTime(5_000);
  expect(await age()).toBe(65);
  listener.acknowledged({ number: 2, at: '2026-11-21T12:00:05.250000Z' });
  listener.failed();
  vi.advanceTimersByTime(2_000);
  expect(await age()).toBe(2);
  const values = await scraped(metrics);
  expect(values.get('lifeboat_pulse_acknowledged_timestamp_seconds{service="orders"}')).toBe(
    Date.parse('2026-11-21T12:00:05.25Z') / 1000,
  );
  expect(values.get('lifeboat_pulses_total{service="orders",result="acknowledged"}')).toBe(1);
  expect(values.get('lifeboat_pulses_total{service="orders",result="failed"}')).toBe(1);
});

test("the SDK's metrics get names by Prometheus' conventions, and only labels that stay few", async () => {
  const registry = new Registry();
  const temporal = new TemporalMetrics(registry);
  const metric = { unit: '', description: 'said by the SDK', valueType: 'int' } as const;
  const updates = [
    { metric: { ...metric, kind: 'counter', name: 'temporal_request' }, value: 2, attributes: { operation: 'Poll' } },
    { metric: { ...metric, kind: 'counter', name: 'temporal_request' }, value: 3, attributes: { operation: 'Poll' } },
    { metric: { ...metric, kind: 'gauge', name: 'temporal_num_pollers' }, value: 5, attributes: { run_id: 'x' } },
    { metric: { ...metric, kind: 'histogram', name: 'temporal_request_latency' }, value: 0.2, attributes: {} },
  ];
  vi.spyOn(temporal.buffer, 'retrieveUpdates').mockReturnValue(
    updates.values() as ReturnType<TemporalMetrics['buffer']['retrieveUpdates']>,
  );
  temporal.drain();
  const text = await registry.metrics();
  expect(text).toContain('temporal_request_total{operation="Poll"} 5\n');
  expect(text).toContain('temporal_num_pollers 5\n');
  expect(text).toContain('temporal_request_latency_seconds_sum 0.2\n');
  expect(text).toContain('# HELP temporal_request_total said by the SDK\n');
  expect(text).not.toContain('run_id');
});

test('a look that is slow takes a twentieth of the time at most', () => {
  expect(pauseAfter(100, 15_000)).toBe(15_000);
  expect(pauseAfter(3_000, 15_000)).toBe(60_000);
});

test('looks never overlap, and one that fails again and again is told once', async () => {
  const stop = new AbortController();
  const said: string[] = [];
  const say = (text: string) => said.push(text);
  let looks = 0;
  let going = 0;
  const look = async () => {
    looks += 1;
    going += 1;
    expect(going).toBe(1);
    await setImmediate();
    going -= 1;
    if (looks > 2 && looks < 6) throw new Error('the store is silent');
    if (looks === 8) stop.abort();
  };
  await lookOften(look, { everyMs: 1, signal: stop.signal, logger: { warn: say, info: say } });
  expect(said).toEqual(['metrics are not up to date: the store is silent', 'metrics are up to date again']);
});

test('the page lists every metric as it is served, and no other', () => {
  const page = readFileSync('docs/metrics.md', 'utf8');
  const rows = [...Object.values(gauges), ...Object.values(counters)].map(
    ({ name, labels, of, help }) =>
      `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${of.join(', ')} | ${help} |`,
  );
  const table = page.split('\n').filter((line) => line.startsWith('| `lifeboat_'));
  expect(table).toEqual(rows);
});

test('the page lists every alert with its severity, and no other', () => {
  const rules = readFileSync('deploy/prometheus/lifeboat.rules.yml', 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)[\s\S]*?severity: (\w+)/g)].map((match) => [match[1], match[2]]);
  const page = readFileSync('docs/metrics.md', 'utf8');
  expect([...page.matchAll(/^\| (Lifeboat\w+) \| (\w+) \|/gm)].map((match) => [match[1], match[2]])).toEqual(alerts);
});
