/** A Temporal server with its UI, a worker in this process for the small runbook that asks people, and the built command line. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';
import { verifySignature } from '../../../activities/people/verify.ts';
import { needParts } from '../../../parts/parts.ts';
import { peopleSchema } from '../../../plan/people.ts';
import { controlQueue, hostQueue, searchAttributes } from '../../../workflows/messages.ts';
import { quietRuntime } from '../../quiet-runtime.ts';
import { FakeEstate } from '../../workflows/fake-estate.ts';
import { freePort } from '../control/rig.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const keyword = 2;

/** Short names as the plan has them; `mallory` is in no group. */
export const persons = ['ana', 'ben', 'cara', 'mallory'] as const;
export type Person = (typeof persons)[number];

export class AskingEstate {
  readonly server: TestWorkflowEnvironment;
  readonly uiUrl: string;
  fake = new FakeEstate();
  readonly #bundle: WorkflowBundleWithSourceMap;
  readonly #home: string;
  readonly #keys: Record<string, string>;
  #workers: { worker: Worker; running: Promise<void> }[] = [];

  constructor(
    server: TestWorkflowEnvironment,
    uiUrl: string,
    bundle: WorkflowBundleWithSourceMap,
    home: string,
    keys: Record<string, string>,
  ) {
    this.server = server;
    this.uiUrl = uiUrl;
    this.#bundle = bundle;
    this.#home = home;
    this.#keys = keys;
  }

  /** An estate as new, with workers on it. @param unsigned whether clicks without a signature count in a live run */
  async begin({
    quorum = 2,
    unsigned = 'refused',
  }: {
    quorum?: number;
    unsigned?: 'refused' | 'allowed';
  } = {}): Promise<void> {
    this.fake = new FakeEstate();
    this.fake.plan.people = peopleSchema.parse({
      persons: Object.fromEntries(persons.map((id) => [id, { name: id.toUpperCase(), keys: [this.#keys[id]] }])),
      groups: { dba: ['ana', 'ben', 'cara'] },
      approvals: { default: { group: 'dba', quorum } },
      decisions: { group: 'dba' },
      unsigned,
    });
    await this.work();
  }

  /** Starts the workers. */
  async work(): Promise<void> {
    const { fake } = this;
    await this.#launch(controlQueue, { ...fake.control(), verifySignature }, true);
    for (const host of ['db1', 'db2'])
      await this.#launch(hostQueue(host), { ...fake.hostReads(), ...fake.hostChanges() });
  }

  /** Ends the workers, as if all of them were away. */
  async rest(): Promise<void> {
    const workers = this.#workers.splice(0);
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ running }) => running));
  }

  async #launch(taskQueue: string, activities: object, workflows = false): Promise<void> {
    const worker = await Worker.create({
      connection: this.server.nativeConnection,
      taskQueue,
      activities,
      maxHeartbeatThrottleInterval: 200,
      ...(workflows ? { workflowBundle: this.#bundle } : {}),
    });
    this.#workers.push({ worker, running: worker.run() });
  }

  /** The command line as this person types it: with her own key folder. */
  as(person: string, ...words: string[]) {
    return lifeboat(this.server.address, join(this.#home, person), words);
  }

  /** With somebody else's key. */
  forged(person: string, keyOf: string, ...words: string[]) {
    const file = join(this.#home, keyOf, 'lifeboat', `${keyOf}.key`);
    return this.as(person, ...words, '--as', person, '--key', file);
  }
}

function lifeboat(address: string, home: string, words: string[]) {
  const { PATH = '' } = process.env;
  return execa(process.execPath, [main, ...words], {
    extendEnv: false,
    env: {
      PATH,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_CONFIG_FILE: '/nonexistent',
      USER: 'somebody',
      XDG_CONFIG_HOME: home,
    },
    reject: false,
  });
}

export function useAskingEstate(): () => AskingEstate {
  let estate: AskingEstate | undefined;
  let home = '';
  beforeAll(async () => {
    quietRuntime();
    home = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'asking-'));
    const { temporal } = await needParts(['temporal'], (line) => console.log(line));
    const uiPort = await freePort();
    const server = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: temporal.path }, ui: true, uiPort },
    });
    await server.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
    });
    const bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('./asking-runbook.ts', import.meta.url)),
      logger: new DefaultLogger('WARN'),
    });
    const keys = Object.fromEntries(await Promise.all(persons.map((id) => keyOf(server.address, home, id))));
    estate = new AskingEstate(server, `http://127.0.0.1:${uiPort}`, bundle, home, keys);
  }, 180_000);
  afterAll(async () => {
    await estate?.rest();
    await estate?.server.teardown();
    await rm(home, { recursive: true, force: true });
  });
  return () => {
    if (estate === undefined) throw new Error('the Temporal server did not start');
    return estate;
  };
}

/** Each draws her own key, and hands out the public half. */
async function keyOf(address: string, home: string, person: string): Promise<[string, string]> {
  const folder = join(home, person);
  await mkdir(folder);
  const { stdout, stderr } = await lifeboat(address, folder, ['keys', 'create', '--person', person, '--json']);
  if (stdout === '') throw new Error(`no key for ${person}: ${stderr}`);
  const { publicKey }: { publicKey: string } = JSON.parse(stdout);
  return [person, publicKey];
}
