/** Gives a worker the order to stand still at a point, and kills the victim while it stands there. */
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Estate } from '../../lab/estate.ts';
import { type Done, type KillOrder, orderFiles } from '../../lab/kills/order.ts';
import { type Host, hosts } from '../../lab/layout.ts';
import type { EstateProcess } from '../../lab/process.ts';
import type { Planned } from './rotation.ts';
import { isWalkedLive, walkedRunbooks } from './runbooks.ts';

export interface Order {
  /** Whether a worker has come to the point and stands there. */
  taken(): boolean;
  /** Nobody came: nobody will stop any more. */
  withdraw(): Promise<void>;
}

/** Nothing is left of an earlier order. */
export async function give({ site }: Estate, order: KillOrder): Promise<Order> {
  const files = orderFiles(site.layout.kills);
  for (const file of [files.go, files.taken, files.order]) await rm(file, { force: true });
  await writeFile(`${files.order}.new`, JSON.stringify(order));
  await rename(`${files.order}.new`, files.order);
  return {
    taken: () => existsSync(files.taken),
    withdraw: () => rm(files.order, { force: true }),
  };
}

/** What the workers have written down of the activities of a run: how much each did and how long it took. */
export async function doneIn({ site }: Estate, run: string): Promise<Done[]> {
  const { kills } = site.layout;
  const names = (await readdir(kills)).filter((name) => name.startsWith('done-'));
  const texts = await Promise.all(names.map((name) => readFile(`${kills}/${name}`, 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  return lines.map((line) => JSON.parse(line) as Done).filter((done) => done.run === run);
}

/** Kills, lets go on whoever stands still and lives, and starts what was killed again. Returns who it was. */
export async function strike(estate: Estate, planned: Planned): Promise<string> {
  const files = orderFiles(estate.site.layout.kills);
  const { said, processes } = await victimOf(estate, planned);
  await Promise.all(processes.map((one) => one.kill('SIGKILL')));
  await writeFile(files.go, '');
  await Promise.all(processes.map((one) => one.start()));
  return said;
}

interface Struck {
  said: string;
  /** Still to be killed, and then started again. */
  processes: EstateProcess[];
}

async function victimOf(estate: Estate, { point, victim, depth }: Planned): Promise<Struck> {
  const host = estate.process(`host-${point.worker === 'control' ? hostBeside(point.runbook) : point.worker}`);
  const control = estate.process('control');
  if (victim === 'host') return { said: 'host worker', processes: [host] };
  if (victim === 'control') return { said: 'control worker', processes: [control] };
  if (victim === 'both') return { said: 'both workers', processes: [host, control] };
  if (victim === 'temporal') return { said: 'Temporal', processes: [estate.process('engine')] };
  const child = killOneOf(await childrenOf(estate, host), depth);
  if (child !== undefined) return { said: `child: ${child.name}`, processes: [] };
  const self = point.worker === 'control' ? control : host;
  return { said: `${self === control ? 'control' : 'host'} worker (no child is alive)`, processes: [self] };
}

/** Whose host worker dies where the control worker does the step. */
function hostBeside(runbook: Planned['point']['runbook']): Host {
  return isWalkedLive(runbook) ? 'db2' : walkedRunbooks[runbook].host;
}

interface Child {
  pid: number;
  name: string;
}

/** Nobody starts it again but Lifeboat. One that has ended meanwhile was no victim: then another is. */
function killOneOf(alive: Child[], depth: number): Child | undefined {
  const first = Math.floor(depth * alive.length);
  for (const child of [...alive.slice(first), ...alive.slice(0, first)]) {
    try {
      process.kill(child.pid, 'SIGKILL');
      return child;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
  return undefined;
}

/** What the host worker has started, and the server beside, which outlives the worker that started it. Never a live server. */
async function childrenOf(estate: Estate, host: EstateProcess): Promise<Child[]> {
  const scratch = hosts.map((name) => `${estate.servers[name].scratch}/`);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const seen = await Promise.all(pids.map(async (pid) => ({ pid, ...(await look(pid)) })));
  return seen
    .filter(({ parent, directory, name, parentName }) => {
      const postmaster =
        name === 'postgres' && parentName !== 'postgres' && scratch.some((folder) => directory.startsWith(folder));
      // A live server that it has started in a switchover is its child, too.
      return postmaster || (parent !== 0 && parent === host.pid && name !== 'postgres');
    })
    .map(({ pid, name }) => ({ pid, name }));
}

async function look(pid: number) {
  const parent = await parentOf(pid);
  const [name, parentName, directory] = await Promise.all([
    programOf(pid),
    programOf(parent),
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
  ]);
  return { parent, name, parentName, directory };
}

/** 0 when there is none, or the process has just ended. */
async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^State:\s+Z/m.test(status) ? 0 : Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

async function programOf(pid: number): Promise<string> {
  return basename(await readlink(`/proc/${pid}/exe`).catch(() => ''));
}
