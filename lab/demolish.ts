import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Built } from './build.ts';
import { type Host, hostNames } from './layout.ts';
import { processesIn } from './litter.ts';
import { releasePorts, type Site } from './site.ts';
import { until } from './until.ts';

/** Those who use others end first: the load before the shop, the workers before the engine, the standby before the primary. */
const order = ([first, ...others]: readonly Host[]): string[][] => [
  ['load', 'pulse', 'pages', 'slack-gateway'],
  ['shop', 'control', ...hostNames.map((host) => `host-${host}`)],
  ['front-door', 'front-door-west', ...hostNames.map((host) => `role-${host}`), 'slack'],
  [...others],
  first === undefined ? [] : [first],
  ['fault-proxy', 'engine', 'etcd'],
  ['store', 'store-west'],
];

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
  const groups = order(site.hosts);
  const named = groups.flat();
  const strangers = [...site.processes.keys()].filter((name) => !named.includes(name));
  for (const group of [strangers, ...groups])
    await Promise.all(group.map((name) => site.processes.get(name)?.stop(withinMs(site, name))));
}

/** PostgreSQL archives its last segments before it ends; with the store gone it would try for long. */
function withinMs({ hosts }: Site, name: string): number {
  return hosts.some((host) => host === name) ? 15_000 : 5_000;
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
