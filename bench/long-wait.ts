/** (i) What eight hours of waiting make of a run's history, with people told twice an hour: on Temporal's server that lets hours pass in seconds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { parseDocument } from 'yaml';
import type { ControlReads, ControlRecords } from '../activities/contract.ts';
import { drawKey, publicLine } from '../activities/people/keys.ts';
import { verifySignature } from '../activities/people/verify.ts';
import { resolveSecrets } from '../activities/secrets.ts';
import { packageRoot } from '../lab/home.ts';
import { startSkippingServer } from '../lab/skipping-server.ts';
import { needParts } from '../parts/parts.ts';
import { type LoadedPlan, loadPlanText } from '../plan/load.ts';
import { controlQueue, evidenceQuery, searchAttributes } from '../workflows/messages.ts';
import { rowOf } from './findings.ts';
import { bundleQuestions } from './people-ground.ts';
import { type Asker, approve, question, startAsking } from './questions.ts';
import type { Findings, Row } from './result.ts';
import { quietRuntime } from './worker.ts';

const waits = '8h';
const every = '30m';
/** `INDEXED_VALUE_TYPE_KEYWORD`. @see temporal/api/enums/v1/common.proto */
const keyword = 2;

interface LongWaitOptions {
  folder: string;
  say(line: string): void;
  signal: AbortSignal;
}

export async function longWait({ folder, say, signal }: LongWaitOptions): Promise<Findings> {
  const bundle = join(folder, 'questions.js');
  await bundleQuestions(bundle);
  const people = { ana: drawKey(), ben: drawKey() };
  const loaded = await planWith(people);
  return onSkippingServer(async (server) => {
    const worker = await Worker.create({
      connection: server.nativeConnection,
      taskQueue: controlQueue,
      workflowBundle: { codePath: bundle },
      activities: activitiesOn(loaded),
    });
    return worker.runUntil(async () => {
      const asker = { client: server.client, people, signal };
      const atOnce = await approvedAfter(asker, async () => undefined);
      const late = await approvedAfter(asker, () => server.sleep(waits));
      say(`(i) ${waits} of waiting, told ${late.statuses} times how it stands: ${late.events} events`);
      return {
        rows: [
          ...rowsOf('a run whose approval is given at once', atOnce),
          ...rowsOf(`the same, given after ${waits} with an update every ${every}`, late),
        ],
        goals: [],
      };
    });
  });
}

interface Length {
  events: number;
  bytes: number;
  /** Status updates among what people were told. */
  statuses: number;
}

function rowsOf(what: string, { events, bytes }: Length): Row[] {
  return [
    rowOf('i', `history of ${what}, events`, 'events', [events]),
    rowOf('i', `history of ${what}, bytes`, 'bytes', [bytes]),
  ];
}

async function approvedAfter(asker: Asker, wait: () => Promise<void>): Promise<Length> {
  const handle = await startAsking(asker, { service: 'orders', questions: 1 });
  const asked = await question(handle, asker.signal, { number: 1 });
  await wait();
  await approve(asker, handle, asked);
  await handle.result();
  const { posts = [] } = await handle.query(evidenceQuery);
  return { ...(await lengthOf(handle)), statuses: posts.filter(({ kind }) => kind === 'status').length };
}

/** This server does not tell the size; the engine's is that of the same events, as they travel. */
async function lengthOf(handle: WorkflowHandle): Promise<Pick<Length, 'events' | 'bytes'>> {
  const history = await handle.fetchHistory();
  const { History } = proto.temporal.api.history.v1;
  return { events: history.events?.length ?? 0, bytes: History.encode(history).finish().length };
}

/** The example's plan, with people who are told by Slack. */
async function planWith({ ana, ben }: Asker['people']): Promise<LoadedPlan> {
  const file = join(packageRoot, 'examples', 'orders.yaml');
  const plan = parseDocument(await readFile(file, 'utf8'));
  const gateway = drawKey();
  plan.set('people', {
    persons: {
      ana: { name: 'Ana', slack: 'U0ANA0001', keys: [publicLine(ana)] },
      ben: { name: 'Ben', slack: 'U0BEN0002', keys: [publicLine(ben)] },
    },
    groups: { dba: ['ana', 'ben'] },
    approvals: { default: { group: 'dba', quorum: 1, deadline: '12h', warnBefore: '1h' } },
    decisions: { group: 'dba' },
    status: { every, channel: '#incidents' },
    slack: { token: '${file:/etc/lifeboat/slack.token}', gatewayKeys: [publicLine(gateway)] },
  });
  return loadPlanText(plan.toString({ lineWidth: 0 }), file);
}

type Needed = Pick<ControlReads, 'loadPlan' | 'resolveSecrets' | 'verifySignature' | 'earlierRuns'> &
  Pick<ControlRecords, 'post' | 'writeEvidence'>;

/** What a control worker would answer beside a store and a Slack that are there. */
function activitiesOn(loaded: LoadedPlan): object {
  let messages = 0;
  const answers: Needed = {
    loadPlan: async () => ({ ...loaded, found: `plan of ${loaded.plan.service} from ${loaded.file}` }),
    resolveSecrets,
    verifySignature,
    earlierRuns: async () => ({ runs: [], found: 'no earlier runs' }),
    post: async ({ thread }) => {
      messages += 1;
      const place = { channel: 'C0INCIDENT', ts: `1795290401.${String(messages).padStart(6, '0')}` };
      return { delivered: 'slack', found: 'told on Slack', place, thread: thread ?? place };
    },
    writeEvidence: async ({ evidence }) => ({
      found: `written to s3://evidence/orders/${evidence.run}`,
      location: `s3://evidence/orders/${evidence.run}`,
      sha256: '0'.repeat(64),
    }),
  };
  // As a worker credits each result.
  const by = { worker: 'control@bench:1', attempt: 1, tookMs: 10 };
  const credited = Object.entries(answers).map(([name, answer]: [string, (ask: never) => Promise<object>]) => [
    name,
    async (ask: never) => ({ ...(await answer(ask)), by }),
  ]);
  return Object.fromEntries(credited);
}

async function onSkippingServer<T>(use: (server: TestWorkflowEnvironment) => Promise<T>): Promise<T> {
  quietRuntime();
  const { 'test-server': part } = await needParts(['test-server'], (line) => console.log(line));
  const server = await startSkippingServer(part.path);
  try {
    await server.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
    });
    return await use(server);
  } finally {
    await server.teardown();
  }
}
