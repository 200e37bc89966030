/** A Temporal and evidence stores in memory, to show pages from. */
import { readFileSync } from 'node:fs';
import { storedRun } from '../../../activities/evidence/stored-run.ts';
import type { ListedSchedule } from '../../../activities/schedules.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { scheduleEntries } from '../../../plan/schedule-entries.ts';
import { scheduleId } from '../../../plan/schedule-ids.ts';
import { type Engine, type EngineRun, Unanswered } from '../../../workers/pages/engine.ts';
import type { Stores } from '../../../workers/pages/stores.ts';

const file = 'examples/orders.yaml';
export const plan = loadPlanText(readFileSync(file, 'utf8'), file).plan;

export class FakeSources {
  readonly runs = new Map<
    string,
    { known: EngineRun; evidence?: Evidence; failure?: { type: string; message: string } }
  >();
  readonly stored: Evidence[] = [];
  readonly waiting: Evidence[] = [];
  /** Made just now, so that nothing was due before. */
  scheduled: ListedSchedule[] = scheduleEntries(plan).map(({ name }) => ({
    id: scheduleId('orders', name),
    service: 'orders',
    name,
    paused: false,
    since: '2026-11-22T09:59:59Z',
  }));
  engineDown = false;
  workersDown = false;
  storeDown = false;

  readonly engine: Engine = {
    list: async () => {
      this.#up();
      return [...this.runs.values()].map((one) => one.known);
    },
    describe: async (run) => {
      this.#up();
      return this.runs.get(run)?.known;
    },
    evidence: async (run) => {
      this.#up();
      if (this.workersDown) throw new Unanswered('No control worker answers.');
      return this.runs.get(run)?.evidence;
    },
    failure: async (run) => this.runs.get(run)?.failure,
    schedules: async () => {
      this.#up();
      return this.scheduled;
    },
  };

  readonly stores: Stores = {
    plans: async () => ({ plans: [plan], notes: [] }),
    list: async () => {
      if (this.storeDown) throw new Error('connection refused');
      return this.stored.map((evidence) => storedRun(evidence, `s3://evidence/${evidence.run}`));
    },
    waiting: async () => this.waiting.map((evidence) => storedRun(evidence, `/var/lib/lifeboat/${evidence.run}`)),
    read: async (run) => {
      if (this.storeDown) return { silent: ['The evidence store of orders was not read: connection refused'] };
      const evidence = this.stored.find((one) => one.run === run);
      return { silent: [], ...(evidence === undefined ? {} : { evidence }) };
    },
  };

  #up(): void {
    if (this.engineDown) throw new Unanswered('Temporal does not answer.');
  }

  /** Lets Temporal know a run. */
  know(evidence: Evidence, known: Partial<EngineRun> = {}): void {
    const { run, runbook, startedAt, endedAt, service, mode, outcome } = evidence;
    const end = endedAt === undefined ? {} : { endedAt };
    const status = endedAt === undefined ? 'running' : 'completed';
    this.runs.set(run, {
      evidence,
      known: { run, runbook, status, startedAt, ...end, service, mode, outcome, ...known },
    });
  }
}
