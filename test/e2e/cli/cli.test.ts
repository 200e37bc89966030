/** The built command line against a real Temporal server and the real runbooks; only the estate behind the workers is made up. */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { needParts } from '../../../parts/parts.ts';
import { controlQueue, hostQueue, searchAttributes } from '../../../workflows/messages.ts';
import { quietRuntime } from '../../quiet-runtime.ts';
import { FakeEstate } from '../../workflows/fake-estate.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const keyword = 2;

let server: TestWorkflowEnvironment;
let bundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  quietRuntime();
  const { temporal } = await needParts(['temporal'], (line) => console.log(line));
  server = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: temporal.path } },
  });
  await server.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
  });
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
});
afterAll(() => server?.teardown());

function lifeboat(...words: string[]) {
  return lifeboatWith({}, words);
}

function lifeboatWith(more: Record<string, string>, words: string[]) {
  const { LIFEBOAT_PLANS: _none, ...environment } = process.env;
  const engine = { TEMPORAL_ADDRESS: server.address, TEMPORAL_CONFIG_FILE: '/nonexistent' };
  return execa(process.execPath, [main, ...words], {
    extendEnv: false,
    // The keys of whoever runs the tests are nobody's here.
    env: { ...environment, ...engine, XDG_CONFIG_HOME: '/nonexistent', USER: 'ana', ...more },
    reject: false,
  });
}

interface Running {
  stop(): Promise<void>;
}

async function work(
  taskQueue: string,
  activities: object,
  workflowBundle?: WorkflowBundleWithSourceMap,
): Promise<Running> {
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue,
    activities,
    identity: `worker of ${taskQueue}`,
    maxHeartbeatThrottleInterval: 200,
    ...(workflowBundle === undefined ? {} : { workflowBundle }),
  });
  const running = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}

/** The run that is on: its name is all that the command line tells of it. */
async function started(...words: string[]): Promise<string> {
  const { stdout } = await lifeboat(...words, '--detach', '--json');
  const { run }: { run: string } = JSON.parse(stdout);
  return run;
}

/** Waits until a command that goes on has said something. */
async function says(command: ReturnType<typeof lifeboat>, words: string): Promise<void> {
  let said = '';
  command.stdout.on('data', (bytes) => {
    said += String(bytes);
  });
  await eventually(
    words,
    async () => said,
    (text) => text.includes(words),
  );
}

/** Visibility lags by a second or so: asks until `right`. */
async function eventually<T>(what: string, look: () => Promise<T>, right: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const seen = await look();
    if (right(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: last seen ${JSON.stringify(seen)}`);
    await pause(50);
  }
}

test('before any worker runs, a question is refused, and a missing run is told from a silent worker', async () => {
  const window = await lifeboat('recovery-window', 'orders');
  expect(window.exitCode).toBe(6);
  expect(window.stderr).toContain('lifeboat-control');
  expect((await lifeboat('watch', 'orders-ffff')).exitCode).toBe(5);
  expect((await lifeboat('watch')).stderr).toContain('Nothing is running');
  const status = await lifeboat('status');
  expect(status.exitCode).toBe(0);
  expect(status.stdout).toContain('start lifeboat-control');
});

test.each(['status', 'drill', 'archive', 'sweep'])(
  "%s in a namespace that is not there says so, as the server's silence",
  async (word) => {
    const { exitCode, stderr } = await lifeboatWith({ TEMPORAL_NAMESPACE: 'nowhere' }, [word]);
    expect(stderr).toContain('has no namespace "nowhere"');
    expect(exitCode).toBe(3);
  },
  60_000,
);

test('a run that was started before any worker is kept, and the waiting is explained', async () => {
  const looking = lifeboat('drill', 'orders', '--json');
  await eventually(
    'silence',
    async () => server.client.workflow.count(`WorkflowType = 'monthlyDrill'`),
    ({ count }) => count === 1,
  );
  const control = await work(controlQueue, new FakeEstate().control(), bundle);
  const hosts = await work(hostQueue('db2'), { ...new FakeEstate().hostReads(), ...new FakeEstate().hostChanges() });
  const { stdout, stderr } = await looking;
  await control.stop();
  await hosts.stop();
  expect(stderr).toContain('Nobody works on task queue lifeboat');
  expect(JSON.parse(stdout)).toMatchObject({ service: 'orders' });
});

describe('with workers', () => {
  let estate: FakeEstate;
  let control: Running;
  let hosts: Running[];

  beforeEach(async () => {
    estate = new FakeEstate();
    control = await work(controlQueue, estate.control(), bundle);
    hosts = await Promise.all(
      ['db1', 'db2'].map((host) => work(hostQueue(host), { ...estate.hostReads(), ...estate.hostChanges() })),
    );
  });
  afterEach(async () => {
    await Promise.all([control, ...hosts].map((one) => one.stop()));
  });

  /** Holds the restore until it is let go. */
  function heldRestore(): () => void {
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    estate.before = (activity) => (activity === 'restoreBeside' ? held : undefined);
    return letGo;
  }

  test('a drill is shown step by step, ends proven, and can be read afterwards', async () => {
    const drill = await lifeboat('drill', 'orders');
    expect(drill.stdout).toContain('PROVEN');
    expect(drill.stdout).toContain('an order was placed and paid');
    expect(drill.exitCode).toBe(0);
    const run = /Started (\S+):/.exec(drill.stderr)?.[1] ?? '';
    expect(run).toMatch(/^orders-[0-9a-f]{4}$/);

    const report = await lifeboat('report', run, '--json');
    const evidence: Evidence = JSON.parse(report.stdout);
    expect(evidence).toMatchObject({
      run,
      outcome: 'proven',
      mode: 'drill',
      requestedBy: expect.stringMatching(/^ana@/),
    });

    const status = await eventually(
      'status',
      async () => (await lifeboat('status', '--json')).stdout,
      (text) => text.includes(run),
    );
    expect(JSON.parse(status)).toMatchObject({
      services: [{ service: 'orders', newestDrill: { run, outcome: 'proven' } }],
    });
  });

  test('a dry run of a backup is previewed, and good', async () => {
    const backup = await lifeboat('backup', 'orders', '--dry-run', '--json');
    expect(JSON.parse(backup.stdout)).toMatchObject({ runbook: 'backup', outcome: 'previewed' });
    expect(backup.exitCode).toBe(0);
    expect(estate.calls).not.toContain('takeBackup');
  });

  test('while a drill runs, a second one is refused, and Ctrl-C stops the looking but not the run', async () => {
    const letGo = heldRestore();
    const run = await started('drill', 'orders');
    await eventually(
      'restore',
      async () => estate.calls,
      (calls) => calls.includes('restoreBeside'),
    );

    const second = await lifeboat('drill', 'orders');
    expect(second.exitCode).toBe(4);
    expect(second.stdout).toContain('LockHeld');

    const locks = await eventually(
      'locks',
      async () => (await lifeboat('status')).stdout,
      (text) => text.includes('Lock lifeboat-host/db2') && text.includes('running'),
    );
    expect(locks).toContain(`is held by ${run}`);

    const watch = lifeboat('watch', run);
    await says(watch, 'Database');
    watch.kill('SIGINT');
    const looked = await watch;
    expect(looked.exitCode).toBe(130);
    expect(looked.stderr).toContain(`${run} goes on`);
    expect((await server.client.workflow.getHandle(run).describe()).status.name).toBe('RUNNING');

    letGo();
    expect((await lifeboat('watch', run)).exitCode).toBe(0);
  });

  test('whoever stops reading what is told of a drill is not told that it is proven, and the drill goes on', async () => {
    const letGo = heldRestore();
    const run = await started('drill', 'orders');
    const watch = lifeboat('watch', run);
    await says(watch, 'Database');
    watch.stdout.destroy();
    watch.stderr.destroy();
    letGo();
    expect((await watch).exitCode).toBe(130);
    expect((await lifeboat('watch', run)).exitCode).toBe(0);
  });

  test('a control worker that goes away is waited for', async () => {
    const letGo = heldRestore();
    const run = await started('drill', 'orders');
    await eventually(
      'restore',
      async () => estate.calls,
      (calls) => calls.includes('restoreBeside'),
    );
    await control.stop();
    const watch = lifeboat('watch', run, '--json');
    await says(watch, '"silent"');
    control = await work(controlQueue, estate.control(), bundle);
    letGo();
    const { stdout, exitCode } = await watch;
    expect(stdout).toContain('{"event":"silent","run"');
    expect(stdout).toContain('{"event":"answers","run"');
    expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toMatchObject({ event: 'ended', outcome: 'proven' });
    expect(exitCode).toBe(0);
  });

  test('a cancelled drill ends aborted, with 1', async () => {
    const letGo = heldRestore();
    const run = await started('drill', 'orders');
    await eventually(
      'restore',
      async () => estate.calls,
      (calls) => calls.includes('restoreBeside'),
    );
    await server.client.workflow.getHandle(run).cancel();
    letGo();
    const watch = await lifeboat('watch', run);
    expect(watch.stdout).toContain('ABORTED');
    expect(watch.exitCode).toBe(1);
  });

  test('the recovery window comes from the archive', async () => {
    const window = await lifeboat('recovery-window', 'orders', '--json');
    expect(JSON.parse(window.stdout)).toMatchObject({
      timeline: 1,
      backups: [{ label: '20261121-135502F' }],
      gaps: [],
    });
    expect(window.exitCode).toBe(0);
  });
});

test('a server that is not there is named within seconds', async () => {
  const began = Date.now();
  const status = await execa(process.execPath, [main, 'status', '--json'], {
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_CONFIG_FILE: '/nonexistent' },
    reject: false,
  });
  expect(status.exitCode).toBe(3);
  expect(status.stderr).toContain('127.0.0.1:1');
  expect(JSON.parse(status.stdout)).toMatchObject({ error: { code: 3, name: 'engineUnreachable' } });
  expect(Date.now() - began).toBeLessThan(15_000);
});
