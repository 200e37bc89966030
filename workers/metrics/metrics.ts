/** What one worker tells Prometheus, at one address. A scrape reads memory only: it asks nobody, and so cannot wait for anybody. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { failureTypes } from '../../evidence/failures.ts';
import { version } from '../../workflows/version.ts';
import { type MetricsAddress, metricsAddress } from './address.ts';
import { type CounterName, counters, type GaugeName, gauges, type Samples, type WorkerKind } from './catalogue.ts';

const closeWithinMs = 1_000;

/** Names of Node's own that break Prometheus' conventions: gauges called totals. The same numbers are there by kind. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export class Metrics {
  readonly registry = new Registry();
  readonly #gauges = new Map<GaugeName, Gauge>();
  readonly #counters = new Map<CounterName, Counter>();
  readonly #sources: (() => Samples | undefined)[] = [];

  constructor(worker: WorkerKind) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamed) this.registry.removeSingleMetric(name);
    const registers = [this.registry];
    for (const key of Object.keys(gauges) as GaugeName[]) {
      const { name, help, labels, of } = gauges[key];
      if (serves(of, worker)) this.#gauges.set(key, new Gauge({ name, help, labelNames: labels, registers }));
    }
    for (const key of Object.keys(counters) as CounterName[]) {
      const { name, help, labels, of } = counters[key];
      if (serves(of, worker)) this.#counters.set(key, new Counter({ name, help, labelNames: labels, registers }));
    }
    this.show(() => ({ workerInfo: [{ labels: { worker, version }, value: 1 }] }));
  }

  /** `source` says at each scrape what is known, or brings its own metrics up to date; it only looks into memory. */
  show(source: () => Samples | undefined): void {
    this.#sources.push(source);
  }

  count(name: CounterName, labels: Record<string, string>): void {
    this.#counters.get(name)?.inc(labels);
  }

  /** Types from outside of Lifeboat's list share one name: a label must not take whatever words an error has. */
  activityFailed(type: string): void {
    this.count('activityFailures', { type: Object.hasOwn(failureTypes, type) ? type : 'Other' });
  }

  /** What Prometheus reads. */
  async text(): Promise<string> {
    for (const gauge of this.#gauges.values()) {
      gauge.reset();
      // One without labels would come back as 0, which is a statement.
      gauge.remove({});
    }
    for (const source of this.#sources)
      for (const [key, samples] of Object.entries(source() ?? {}) as [GaugeName, Samples[GaugeName]][])
        for (const { labels, value } of samples ?? []) this.#gauges.get(key)?.set(labels, value);
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}

export interface Served {
  metrics: Metrics;
  close(): Promise<void>;
}

/**
 * Serves the metrics of this worker where LIFEBOAT_METRICS says; `undefined` where it says nothing.
 *
 * @throws Error the address cannot be read, or not be listened on
 */
export async function serveMetrics(worker: WorkerKind): Promise<Served | undefined> {
  const address = metricsAddress(process.env.LIFEBOAT_METRICS);
  return address === undefined ? undefined : serveMetricsAt(address, new Metrics(worker));
}

export async function serveMetricsAt(address: MetricsAddress, metrics: Metrics): Promise<Served> {
  const server = metricsServer(metrics);
  server.listen(address.port, address.host);
  await once(server, 'listening').catch((error: Error) => {
    throw new Error(
      `LIFEBOAT_METRICS is ${address.host}:${address.port}, which cannot be listened on: ${error.message}. Give each worker of a machine an address of its own.`,
    );
  });
  return {
    metrics,
    close: async () => {
      setTimeout(() => server.closeAllConnections(), closeWithinMs).unref();
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
  };
}

function metricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const plain = 'text/plain; charset=utf-8';
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, plain, 'Only GET and HEAD.\n');
    if ((request.url ?? '/').split(/[?#]/, 1)[0] !== '/metrics') return send(404, plain, 'See /metrics.\n');
    metrics.text().then(
      (text) => send(200, metrics.contentType, text),
      (error: unknown) => send(500, plain, `${error instanceof Error ? error.message : String(error)}\n`),
    );
  });
}

function serves(of: readonly WorkerKind[], worker: WorkerKind): boolean {
  return of.includes(worker);
}
