/**
 * The metrics of Temporal's SDK in the worker's own registry. The SDK's exporter would open a second address, and nobody would
 * know that it is there.
 */
import { type BufferedMetricUpdate, MetricsBuffer } from '@temporalio/worker';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Of these the SDK makes labels that stay few; others are left out, so that none can make the number of series explode. */
const kept = [
  'namespace',
  'task_queue',
  'workflow_type',
  'activity_type',
  'worker_type',
  'poller_type',
  'operation',
  'status_code',
  'failure_reason',
  'eager',
] as const;

/** Seconds: from a call to the server up to a restore. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];

/** Updates that the buffer holds; they are taken out each second. */
const maxBufferSize = 100_000;
const drainEveryMs = 1_000;

export class TemporalMetrics {
  /** For the SDK's runtime. */
  readonly buffer = new MetricsBuffer({ maxBufferSize, useSecondsForDurations: true });
  readonly #registry: Registry;
  readonly #known = new Map<string, (value: number, labels: Record<string, string>) => void>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  drainEachSecond(): void {
    setInterval(() => this.drain(), drainEveryMs).unref();
  }

  /** Takes what the SDK has counted since the last time. */
  drain(): undefined {
    for (const update of this.buffer.retrieveUpdates()) this.#take(update);
  }

  #take({ metric, value, attributes }: BufferedMetricUpdate): void {
    const labels = Object.fromEntries(
      kept.flatMap((name) => (attributes[name] === undefined ? [] : [[name, String(attributes[name])]])),
    );
    const known = this.#known.get(metric.name) ?? this.#make(metric);
    this.#known.set(metric.name, known);
    known(value, labels);
  }

  #make({ kind, name, unit, description }: BufferedMetricUpdate['metric']) {
    const base = { help: description || `Of Temporal's SDK.`, labelNames: kept, registers: [this.#registry] };
    if (kind === 'counter') {
      const counter = new Counter({ ...base, name: withSuffix(name, '_total') });
      return (value: number, labels: Record<string, string>) => counter.inc(labels, value);
    }
    if (kind === 'histogram') {
      const inSeconds = unit === 's' || unit === 'duration' || /latency/.test(name);
      const histogram = new Histogram({ ...base, name: inSeconds ? withSuffix(name, '_seconds') : name, buckets });
      return (value: number, labels: Record<string, string>) => histogram.observe(labels, value);
    }
    const gauge = new Gauge({ ...base, name });
    if (kind === 'up-down-counter') return (value: number, labels: Record<string, string>) => gauge.inc(labels, value);
    return (value: number, labels: Record<string, string>) => gauge.set(labels, value);
  }
}

function withSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) ? name : `${name}${suffix}`;
}
