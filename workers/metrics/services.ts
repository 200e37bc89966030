/**
 * What control workers know of each service: results of runs from the evidence store, runs that go on from Temporal. Both are the
 * same for every control worker, and still there after a restart.
 */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { Logger } from 'pino';
import { type StoredRun, waitingRuns } from '../../activities/evidence/store.ts';
import type { Plan } from '../../plan/schema.ts';
import { type Engine, type EngineRun, temporalEngine } from '../pages/engine.ts';
import { type Stores, storesOf } from '../pages/stores.ts';
import type { Metrics } from './metrics.ts';
import { lookOften } from './pace.ts';
import { type Known, type KnownService, type RunningRun, samplesOf } from './services-samples.ts';

const everyMs = 15_000;
/** More than go on at once anywhere. */
const runsInProgress = 200;

export interface ServiceSources {
  engine: Engine;
  stores: Stores;
  waiting(plan: Plan): Promise<number>;
}

/** Looks until `signal`. */
export async function watchServices(metrics: Metrics, signal: AbortSignal, logger: Logger): Promise<void> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = Connection.lazy(connectionOptions);
  const watch = new ServicesWatch({
    engine: temporalEngine(connection, new Client({ connection, namespace })),
    stores: storesOf(process.env.LIFEBOAT_PLANS),
    waiting: async ({ evidence, service }) => (await waitingRuns(evidence, service)).length,
  });
  metrics.show(() => samplesOf(watch.known, new Date()));
  await lookOften(() => watch.look(), { everyMs, signal, logger });
  await connection.close();
}

export class ServicesWatch {
  readonly #sources: ServiceSources;
  known: Known = { services: new Map() };

  constructor(sources: ServiceSources) {
    this.#sources = sources;
  }

  /** @throws Error what was not answered, after everything else was taken in */
  async look(): Promise<void> {
    const { plans, notes } = await this.#sources.stores.plans();
    const [running, ...services] = await Promise.allSettled([
      this.#running(),
      ...plans.map((plan) => this.#service(plan)),
    ]);
    this.known = {
      temporalUp: running.status === 'fulfilled',
      ...(running.status === 'fulfilled' && { running: running.value }),
      services: new Map(plans.map((plan) => [plan.service, this.#asKnown(plan, services[plans.indexOf(plan)])])),
    };
    const silent = [running, ...services].flatMap((one) => (one.status === 'rejected' ? [words(one.reason)] : []));
    if (notes.length + silent.length > 0) throw new Error([...notes, ...silent].join(' '));
  }

  async #service(plan: Plan): Promise<{ runs: StoredRun[]; waiting: number }> {
    const [runs, waiting] = await Promise.all([this.#sources.stores.list(plan), this.#sources.waiting(plan)]);
    return { runs, waiting };
  }

  /** A store that is silent takes nothing away of what it has said before; since when it is silent is told beside. */
  #asKnown(plan: Plan, look: PromiseSettledResult<{ runs: StoredRun[]; waiting: number }> | undefined): KnownService {
    if (look?.status === 'fulfilled') return { plan, ...look.value, storeUp: true, readAt: new Date() };
    return { ...this.known.services.get(plan.service), plan, storeUp: false };
  }

  async #running(): Promise<RunningRun[]> {
    const runs = await this.#sources.engine.list(runsInProgress, 'running');
    return Promise.all(runs.filter(({ status }) => status === 'running').map((run) => this.#withPhase(run)));
  }

  /** Since when it is in its phase only the run itself knows; that it goes on is known without. */
  async #withPhase(run: EngineRun): Promise<RunningRun> {
    const evidence = await this.#sources.engine.evidence(run.run).catch(() => undefined);
    const phase = evidence?.phases.find((one) => one.startedAt !== undefined && one.endedAt === undefined);
    return { ...run, ...(phase?.startedAt && { inPhase: { name: phase.name, since: phase.startedAt } }) };
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
