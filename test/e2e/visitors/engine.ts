/** A Temporal server, and control workers as they are installed, that can be killed. The plan has visitors, and nothing else that is there. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { Evidence } from '../../../evidence/evidence.ts';
import { writePlan } from '../control/plan-file.ts';
import { type Child, eventually, freePort, start, startTemporal } from '../control/rig.ts';

export interface Engine {
  client: Client;
  environment: NodeJS.ProcessEnv;
  /** The control worker that works now. */
  worker(): Child;
  /** Another one, which is ready. */
  startWorker(): Promise<void>;
  /** As it lies in the directory of the plan: its store is not there. */
  evidenceOf(run: string): Promise<Evidence>;
  stop(): Promise<void>;
}

/**
 * @param more of the plan, as YAML
 * @param sites instead of the one that the plan has, as YAML
 */
export async function startEngine(directory: string, more: string, sites?: string): Promise<Engine> {
  const [port, plans] = [await freePort(), join(directory, 'plans')];
  await mkdir(plans);
  await writeFile(join(directory, 'password'), 'orders-password\n');
  const plan = await writePlan({
    directory: plans,
    service: 'orders',
    port: await freePort(),
    user: 'orders',
    passwordFile: join(directory, 'password'),
    pulseLog: join(directory, 'pulse'),
  });
  const usual = await readFile(plan, 'utf8');
  const placed = sites === undefined ? usual : usual.replace(/^sites:\n.*\n/m, sites);
  await writeFile(plan, `${placed}${more}workers: { heartbeat: 2s }\n`);
  const temporal = await startTemporal(directory, port);
  const address = `127.0.0.1:${port}`;
  const connection = await eventually('Temporal answers', () => Connection.connect({ address, connectTimeout: '2s' }));
  const environment = {
    LIFEBOAT_PLANS: plans,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: '/nonexistent',
    EVIDENCE_KEY: 'key',
    EVIDENCE_SECRET: 'secret',
  };
  let workers = 0;
  let worker: Child;
  const startWorker = async () => {
    workers += 1;
    const ready = join(directory, `ready-${workers}`);
    await rm(ready, { force: true });
    worker = await start({
      directory,
      name: `control-${workers}`,
      command: process.execPath,
      args: [resolve('dist/workers/control.js')],
      env: { ...environment, LIFEBOAT_READY_FILE: ready },
    });
    await eventually('the worker is ready', () => readFile(ready, 'utf8'));
  };
  await startWorker();
  return {
    client: new Client({ connection }),
    environment,
    worker: () => worker,
    startWorker,
    evidenceOf: async (run) => {
      const root = join(plans, 'runs');
      const file = (await readdir(root, { recursive: true })).find(
        (name) => name.includes(run) && name.endsWith('evidence.json'),
      );
      if (file === undefined) throw new Error(`no evidence of ${run} lies below ${root}`);
      return JSON.parse(await readFile(join(root, file), 'utf8'));
    },
    stop: async () => {
      await worker?.end('SIGKILL');
      await connection.close();
      await temporal.end();
    },
  };
}
