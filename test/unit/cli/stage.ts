/** A command line with everything around it made up: an engine of a few runs, a terminal that remembers. */

import type { Reply } from '../../../activities/people/reply.ts';
import type { Cli } from '../../../cli/cli.ts';
import type {
  Ending,
  Engine,
  HeldLock,
  ListedRun,
  Order,
  RunState,
  WatchedRun,
  Worker,
} from '../../../cli/engine/engine.ts';
import { Problem } from '../../../cli/problem.ts';
import { run } from '../../../cli/program.ts';
import type { Evidence, RunSummary, Step } from '../../../evidence/evidence.ts';
import type { AbortPlan } from '../../../evidence/people.ts';
import type { Message } from '../../../workflows/messages.ts';
import { MadeUpSchedules } from './made-up-schedules.ts';

export const at = '2026-11-21T14:02:11.000Z';

export function step(over: Partial<Step> = {}): Step {
  return {
    id: 'assessment/newest-backup',
    name: 'The newest backup is complete and young enough',
    group: 'assessment',
    kind: 'check',
    state: 'done',
    startedAt: at,
    endedAt: '2026-11-21T14:02:12.000Z',
    found: 'backup 20261121-135502F complete, 7 min old',
    ...over,
  };
}

export function evidence(over: Partial<Evidence> = {}): Evidence {
  return {
    schema: 'lifeboat.evidence/1',
    lifeboatVersion: '0.1.0',
    run: 'orders-7f3a',
    runId: 'run-id-1',
    runbook: 'monthly-drill',
    title: 'Monthly drill',
    service: 'orders',
    mode: 'drill',
    requestedBy: 'ana@laptop',
    input: { service: 'orders' },
    plan: { sha256: 'ab'.repeat(32), file: 'orders.yaml' },
    startedAt: at,
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: 3_600_000, rpoMs: 300_000 },
    isolatedOn: 'db2',
    rto: { objectiveMs: 3_600_000, how: 'not measured yet' },
    rpo: { objectiveMs: 300_000, how: 'not measured yet' },
    phases: [{ name: 'assessment', budgetMs: 900_000, startedAt: at, peopleMs: 0, retriesMs: 0 }],
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
    ...over,
  };
}

export function provenEvidence(): Evidence {
  return evidence({
    outcome: 'proven',
    endedAt: '2026-11-21T14:03:00.000Z',
    steps: [step()],
    rto: { valueMs: 36_000, objectiveMs: 3_600_000, how: 'traffic excluded' },
    rpo: { valueMs: 23_000, objectiveMs: 300_000, how: 'pulse writes, one a second' },
  });
}

export function summary(over: Partial<RunSummary> = {}): RunSummary {
  return {
    run: 'orders-7f3a',
    runbook: 'monthly-drill',
    service: 'orders',
    outcome: 'proven',
    flags: [],
    rtoMs: 36_000,
    rpoMs: 23_000,
    evidence: 's3://evidence/orders/runs/orders-7f3a/run-id-1/evidence.json',
    sha256: 'cd'.repeat(32),
    ...over,
  };
}

export const proven: Ending = { status: 'completed', summary: summary() };

export function running(over: Partial<RunState> = {}): RunState {
  return { runId: 'run-id-1', status: 'running', type: 'monthlyDrill', startedAt: new Date(at), pending: [], ...over };
}

/** What one round of questions is answered with; an Error is thrown. */
export interface Moment {
  state: RunState | Error;
  evidence?: Evidence | undefined | Error;
}

/** What somebody says to a run, and what the run answers; `heard` keeps it. */
export interface Ear {
  heard: Message[];
  reply?: Reply;
  abortPlan?: AbortPlan;
}

/** A run that lives through `moments`, one each time that its state is asked for, then stays in the last. */
export function scriptedRun(
  moments: readonly Moment[],
  ending: Ending = proven,
  name = 'orders-7f3a',
  ear: Ear = { heard: [] },
): WatchedRun {
  let asked = -1;
  const now = () => moments[Math.max(0, Math.min(asked, moments.length - 1))];
  const answer = <T>(value: T | Error): T => {
    if (value instanceof Error) throw value;
    return value;
  };
  return {
    run: name,
    async state() {
      asked += 1;
      return answer(now()?.state ?? new Error('no moment is scripted'));
    },
    evidence: async () => answer(now()?.evidence),
    ending: async () => ending,
    abortPlan: async () => ear.abortPlan,
    async say(message) {
      ear.heard.push(message);
      return ear.reply ?? { kind: 'answered', words: 'Counted.' };
    },
  };
}

export interface Stage {
  cli: Cli;
  out: string[];
  messages: string[];
  orders: Order[];
  code(): number | undefined;
  /** As a person types it. */
  type(...words: string[]): Promise<void>;
  interrupt(): void;
}

export interface Estate {
  runs?: Record<string, WatchedRun>;
  listed?: ListedRun[];
  locks?: HeldLock[];
  workers?: Worker[];
  schedules?: MadeUpSchedules;
  unreachable?: boolean;
  environment?: Record<string, string>;
  /** To every question; absent: nobody sits there. */
  answer?: boolean;
  /** What is typed as a passphrase, one after the other. */
  passphrases?: string[];
}

export function stage(estate: Estate = {}): Stage {
  const out: string[] = [];
  const messages: string[] = [];
  const orders: Order[] = [];
  let code: number | undefined;
  let stop: (() => void) | undefined;
  const cli: Cli = {
    terminal: {
      result: (text) => out.push(text),
      message: (text) => messages.push(text),
      passing: () => undefined,
      color: false,
      live: false,
    },
    // The keys of whoever runs the tests are nobody's here.
    environment: { USER: 'ana', XDG_CONFIG_HOME: '/nowhere', ...estate.environment },
    connect: async () => {
      if (estate.unreachable) throw new Problem('engineUnreachable', 'Temporal is not reachable at 127.0.0.1:1.');
      return engine(estate, orders);
    },
    onInterrupt(then) {
      stop = then;
      return () => {
        stop = undefined;
      };
    },
    attended: estate.answer !== undefined,
    confirm: async (question) => {
      messages.push(question);
      return estate.answer;
    },
    askSecret: async (question) => {
      messages.push(question);
      return estate.passphrases?.shift();
    },
    pace: { everyMs: 1, lastPageWithinMs: 10, signOfLife: { afterMs: 5, everyMs: 60_000 } },
    exit(given) {
      code = given;
    },
  };
  return {
    cli,
    out,
    messages,
    orders,
    code: () => code,
    type: (...words) => run(cli, words),
    interrupt: () => stop?.(),
  };
}

function engine(estate: Estate, orders: Order[]): Engine {
  const listed = estate.listed ?? [];
  return {
    address: '127.0.0.1:7233',
    namespace: 'default',
    async start(order) {
      orders.push(order);
      return { run: 'orders-7f3a', runId: 'run-id-1' };
    },
    watch(name) {
      const found = estate.runs?.[name];
      if (found !== undefined) return found;
      const unknown = async () => {
        throw new Problem('notFound', `Temporal knows no run "${name}".`);
      };
      return { run: name, state: unknown, evidence: unknown, ending: unknown, abortPlan: unknown, say: unknown };
    },
    workers: async () => estate.workers ?? [{ identity: 'control@db1:1' }],
    newestRuns: async (limit) => listed.slice(0, limit),
    runningRuns: async () => listed.filter((one) => one.status === 'running'),
    newestOf: async ({ service, runbook, mode, outcome }) =>
      listed.find(
        (one) =>
          one.service === service &&
          one.runbook === runbook &&
          one.mode === mode &&
          (outcome === undefined || one.outcome === outcome),
      ),
    locks: async () => estate.locks ?? [],
    schedules: estate.schedules ?? new MadeUpSchedules(),
    close: async () => undefined,
  };
}
