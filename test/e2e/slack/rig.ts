/** A workspace, the gateway, a Temporal server, and a worker with a made-up runbook that asks for approvals. No estate: Slack is what is tried. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebClient } from '@slack/web-api';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll } from 'vitest';
import { approvalBlocks } from '../../../activities/notify/slack-blocks.ts';
import { drawKey, publicLine, signed } from '../../../activities/people/keys.ts';
import { verifySignature } from '../../../activities/people/verify.ts';
import { readPlan } from '../../../activities/plans.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval } from '../../../evidence/people.ts';
import { startStatement } from '../../../evidence/statements.ts';
import { cast, incidentChannel, type LabPerson, labPersons } from '../../../lab/slack/cast.ts';
import { type WorkspaceClient, workspaceAt } from '../../../lab/slack/client.ts';
import { workspaceServer } from '../../../lab/slack/server.ts';
import { controlQueue, evidenceQuery, hostQueue, searchAttributes } from '../../../workflows/messages.ts';
import { quietRuntime } from '../../quiet-runtime.ts';
import { orders } from '../../unit/plan/orders.ts';
import { FakeEstate } from '../../workflows/fake-estate.ts';
import {
  type Child,
  eventually,
  freePort,
  removeDirectory,
  scratchDirectory,
  start,
  startTemporal,
} from '../control/rig.ts';

export const signingSecret = 'signing-secret-of-the-tests';
const tokens = { bot: 'xoxb-of-the-tests', app: 'xapp-of-the-tests' };

export interface Slack {
  url: string;
  workspace: WorkspaceClient;
  web: WebClient;
  temporal: Client;
  /** Starts a run that asks for an approval, posts it, and returns what people have before them. */
  ask(): Promise<Question>;
  evidence(run: string): Promise<Evidence>;
  /** Ends the gateway; starts it again. */
  gateway: {
    end(signal?: NodeJS.Signals): Promise<void>;
    start(environment?: Record<string, string>): Promise<void>;
    /** What it tells Prometheus. */
    metrics(): Promise<string>;
    directory: string;
  };
  /** Ends the worker of the runs; starts it again. */
  worker: { end(): Promise<void>; start(): Promise<void> };
  server: { end(): Promise<void>; start(): Promise<void> };
}

export interface Question {
  run: string;
  handle: WorkflowHandle;
  approval: Approval;
  channel: string;
  /** Of the message with the buttons. */
  ts: string;
}

export function useSlack(): () => Slack {
  let made: { slack: Slack; end(): Promise<void> } | undefined;
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.end(), 60_000);
  return () => {
    if (made === undefined) throw new Error('the workspace did not start');
    return made.slack;
  };
}

async function make(): Promise<{ slack: Slack; end(): Promise<void> }> {
  const directory = await scratchDirectory('slack');
  const anaKey = drawKey();
  const gatewayKey = drawKey();
  const keyFile = join(directory, 'gateway.key');
  await writeFile(keyFile, gatewayKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

  const workspace = workspaceServer({ tokens, signingSecret });
  workspace.server.listen(0, '127.0.0.1');
  await once(workspace.server, 'listening');
  const url = `http://127.0.0.1:${(workspace.server.address() as AddressInfo).port}`;

  const planFile = join(directory, 'orders.yaml');
  await writeFile(planFile, `${orders}${people(`${url}/api/`, publicLine(anaKey), publicLine(gatewayKey))}`);
  const { plan, sha256 } = await readPlan(planFile);

  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const engineFile = join(directory, 'engine.db');
  const server = restartable(
    () => startTemporal(directory, port, engineFile),
    () => serves(address),
  );
  await server.start();
  const connection = await Connection.connect({ address });
  await registerAttributes(connection);
  const temporal = new Client({ connection });
  const evidence = (run: string) => temporal.workflow.getHandle(run).query(evidenceQuery);

  const estate = new FakeEstate();
  const activities = {
    ...estate.control(),
    loadPlan: async () => ({ plan, sha256, file: planFile, found: 'plan read' }),
    verifySignature,
  };
  const worker = await workers(address, activities, estate);
  await worker.start();

  const clicks = join(directory, 'clicks');
  await mkdir(clicks);
  const ready = join(directory, 'gateway.ready');
  await writeFile(join(directory, 'token'), tokens.bot);
  await writeFile(join(directory, 'app-token'), tokens.app);
  const metrics = `127.0.0.1:${await freePort()}`;
  const usual = {
    LIFEBOAT_METRICS: metrics,
    TEMPORAL_ADDRESS: address,
    LIFEBOAT_PLANS: planFile,
    LIFEBOAT_SLACK_TOKEN: `\${file:${directory}/token}`,
    LIFEBOAT_SLACK_APP_TOKEN: `\${file:${directory}/app-token}`,
    LIFEBOAT_SLACK_KEY: keyFile,
    LIFEBOAT_SLACK_DIRECTORY: clicks,
    LIFEBOAT_SLACK_API: `${url}/api/`,
    LIFEBOAT_READY_FILE: ready,
  };
  let gateway: Child | undefined;
  const web = new WebClient(tokens.bot, { slackApiUrl: `${url}/api/` });
  const control = workspaceAt(url);
  const slack: Slack = {
    url,
    workspace: control,
    web,
    temporal,
    evidence,
    ask: () =>
      ask({
        temporal,
        web,
        evidence,
        sign: (run, input) => signed(startStatement(run, 'ana', input), anaKey, 'person'),
      }),
    gateway: {
      directory: clicks,
      metrics: async () => (await fetch(`http://${metrics}/metrics`)).text(),
      end: async (signal = 'SIGTERM') => void (await gateway?.end(signal)),
      start: async (environment = {}) => {
        gateway = await start({
          directory,
          name: 'gateway',
          command: process.execPath,
          args: ['dist/workers/slack.js'],
          env: { ...usual, ...environment },
        });
        const { pid } = gateway;
        await eventually(
          'the gateway is connected',
          async () => JSON.parse(await readOr(ready)).pid === pid || undefined,
        );
      },
    },
    worker,
    server,
  };
  await slack.gateway.start();
  return {
    slack,
    end: async () => {
      await gateway?.end();
      await worker.end();
      await connection.close();
      await server.end();
      workspace.close();
      await removeDirectory(directory);
    },
  };
}

function people(api: string, anaKey: string, gatewayKey: string): string {
  const person = (id: LabPerson) =>
    `    ${id}: { name: ${cast[id].name}, slack: ${cast[id].slack}${id === 'ana' ? `, keys: ['${anaKey}']` : ''} }`;
  return `people:
  persons:
${labPersons.map(person).join('\n')}
  groups: { dba: [ana, ben, cara], incident-commander: [dora] }
  approvals: { default: { group: dba, quorum: 2 } }
  decisions: { group: dba }
  status: { channel: '#${incidentChannel.name}' }
  slack: { token: '\${env:SLACK_TOKEN}', gatewayKeys: ['${gatewayKey}'], api: '${api}' }
`;
}

interface Asking {
  temporal: Client;
  web: WebClient;
  evidence(run: string): Promise<Evidence>;
  sign(run: string, input: object): unknown;
}

/** Ana asks to cross the river; Ben and Cara are who can approve it. */
async function ask({ temporal, web, evidence, sign }: Asking): Promise<Question> {
  const run = `orders-${randomBytes(4).toString('hex')}`;
  const input = { service: 'orders', mode: 'live', requestedBy: 'ana' };
  const handle = await temporal.workflow.start('backup', {
    taskQueue: controlQueue,
    workflowId: run,
    args: [{ ...input, requestSignature: sign(run, input) }],
  });
  const approval = await eventually('the run asks', async () => (await evidence(run)).approvals?.[0]);
  const head = await web.chat.postMessage({ channel: `#${incidentChannel.name}`, text: `Crossing of orders: ${run}` });
  const slackIds = Object.fromEntries(labPersons.map((id) => [id, cast[id].slack]));
  const posted = await web.chat.postMessage({
    channel: incidentChannel.id,
    thread_ts: head.ts ?? '',
    text: approval.name,
    blocks: approvalBlocks(await evidence(run), approval, { slackIds }),
  });
  return { run, handle, approval, channel: incidentChannel.id, ts: posted.ts ?? '' };
}

async function workers(address: string, activities: object, estate: FakeEstate) {
  quietRuntime();
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  let running: { all: { worker: Worker; done: Promise<void> }[]; connection: NativeConnection } | undefined;
  const launch = async (connection: NativeConnection, taskQueue: string, offered: object) => {
    const common = { connection, taskQueue, activities: offered };
    const worker = await Worker.create(taskQueue === controlQueue ? { ...common, workflowBundle } : common);
    return { worker, done: worker.run() };
  };
  return {
    start: async () => {
      const connection = await NativeConnection.connect({ address });
      const all = [await launch(connection, controlQueue, activities)];
      for (const host of ['db1', 'db2'])
        all.push(await launch(connection, hostQueue(host), { ...estate.hostReads(), ...estate.hostChanges() }));
      running = { all, connection };
    },
    end: async () => {
      for (const { worker } of running?.all ?? []) worker.shutdown();
      await Promise.all((running?.all ?? []).map(({ done }) => done));
      await running?.connection.close();
      running = undefined;
    },
  };
}

function restartable(begin: () => Promise<Child>, serving: () => Promise<unknown>) {
  let child: Child | undefined;
  return {
    start: async () => {
      child = await begin();
      await serving();
    },
    end: async () => {
      await child?.end('SIGKILL');
      child = undefined;
    },
  };
}

function serves(address: string): Promise<true> {
  return eventually('Temporal answers', async () => {
    const connection = await Connection.connect({ address, connectTimeout: 1_000 });
    await connection.close();
    return true as const;
  });
}

const keyword = 2;

async function registerAttributes({ operatorService }: Connection): Promise<void> {
  const wanted = Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword]));
  await eventually('the search attributes are there', async () => {
    await operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: wanted });
    return true;
  });
}

function readOr(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '{}');
}
