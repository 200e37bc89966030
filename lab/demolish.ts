import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Built } from './build.ts';
import { processesIn } from './litter.ts';
import { releasePorts } from './site.ts';
import { until } from './until.ts';

/** Those who use others end first: the load before the shop, the workers before the engine, the standby before the primary. */
const order = [
  ['load', 'pulse', 'pages', 'slack-gateway'],
  ['shop', 'control', 'host-db1', 'host-db2'],
  ['front-door', 'role-db1', 'role-db2', 'slack'],
  ['db2'],
  ['db1'],
  ['fault-proxy', 'engine'],
  ['store'],
] as const;

/** Ends every process of the estate, removes its folder, and proves both. Asked twice, it is done once. */
export function demolish(site: Built): Promise<void> {
  site.demolition ??= takeDown(site);
  return site.demolition;
}

async function takeDown(site: Built): Promise<void> {
  await stopProcesses(site);
  await releasePorts(site.ports);
  await endStragglers(site.layout.root);
  await rm(site.layout.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  await site.guard.release();
  if (existsSync(site.layout.root)) throw new Error(`${site.layout.root} could not be removed: remove it by hand`);
}

/** In order; what is not named there ends with the first. */
export async function stopProcesses(site: Built): Promise<void> {
  const named: readonly string[] = order.flat();
  const strangers = [...site.processes.keys()].filter((name) => !named.includes(name));
  for (const group of [strangers, ...order])
    await Promise.all(group.map((name) => site.processes.get(name)?.stop(withinMs(name))));
}

/** PostgreSQL archives its last segments before it ends; with the store gone it would try for long. */
function withinMs(name: string): number {
  return name === 'db1' || name === 'db2' ? 15_000 : 5_000;
}

/**
 * Processes that our processes have started and that outlived them, such as the backends of a killed server, which end by
 * themselves, or a scratch server that a killed worker left. They are known by the estate's own folder.
 */
async function endStragglers(root: string): Promise<void> {
  const left = () => processesIn(root);
  await until(
    { what: `the last processes of ${root} to end`, withinMs: 2_000 },
    async () => (await left()).length === 0,
  ).catch(() => undefined);
  for (const { pid } of await left()) endByForce(pid);
  await until({ what: `the last processes of ${root} to end`, withinMs: 10_000 }, async () => {
    const still = await left();
    if (still.length === 0) return true;
    throw new Error(still.map(({ pid, commandLine }) => `${pid} ${commandLine}`).join('; '));
  });
}

function endByForce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
