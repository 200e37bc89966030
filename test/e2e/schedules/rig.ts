/** A Temporal server on a file of its own, the built command line, and a plan to change. No estate: nothing is run. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type ScheduleDescription } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';
import { type Child, eventually, freePort, removeDirectory, scratchDirectory, startTemporal } from '../control/rig.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const example = new URL('../../../examples/orders.yaml', import.meta.url);

export interface TemporalServer {
  client: Client;
  address: string;
  /** `kill -9`. */
  kill(): Promise<void>;
  startAgain(): Promise<void>;
  /** The example's plan with texts replaced; each must be there. */
  plan(...changes: [from: string, to: string][]): Promise<void>;
  lifeboat(...words: string[]): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }>;
  /** As the server describes it. */
  schedule(name: string): Promise<ScheduleDescription>;
}

export function useTemporal(): () => TemporalServer {
  let directory: string;
  let server: TemporalServer;
  let running: Child;
  beforeAll(async () => {
    directory = await scratchDirectory('schedules');
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const launch = async () => {
      running = await startTemporal(directory, port, join(directory, 'temporal.db'));
      await eventually('Temporal answers', () => answers(address), 60_000);
    };
    await launch();
    const client = new Client({ connection: await Connection.connect({ address }) });
    const planFile = join(directory, 'orders.yaml');
    server = {
      client,
      address,
      kill: async () => {
        await running.end('SIGKILL');
      },
      startAgain: launch,
      plan: async (...changes) => writeFile(planFile, withChanges(await readFile(example, 'utf8'), changes)),
      lifeboat: async (...words) => {
        const { stdout, stderr, exitCode } = await execa(process.execPath, [main, ...words], {
          env: {
            LIFEBOAT_PLANS: planFile,
            TEMPORAL_ADDRESS: address,
            TEMPORAL_CONFIG_FILE: '/nonexistent',
            USER: 'ana',
          },
          reject: false,
        });
        return { stdout, stderr, exitCode };
      },
      schedule: (name) => client.schedule.getHandle(`lifeboat/orders/${name}`).describe(),
    };
    await server.plan();
  });
  afterAll(async () => {
    await server?.client.connection.close();
    await running?.end('SIGKILL');
    await removeDirectory(directory);
  });
  return () => server;
}

async function answers(address: string): Promise<true> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    await connection.workflowService.listSchedules({ namespace: 'default', maximumPageSize: 1 });
    return true;
  } finally {
    await connection.close();
  }
}

function withChanges(text: string, changes: [from: string, to: string][]): string {
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the plan has no "${from}"`);
    return changed.replace(from, () => to);
  }, text);
}
