import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stringify } from 'yaml';
import { backupEnvironment } from './backrest.ts';
import { engineAddress, namespace } from './engine.ts';
import { writeLauncher } from './home.ts';
import { orderVariable } from './kills/order.ts';
import type { Host } from './layout.ts';
import type { EstateProcess } from './process.ts';
import { regionsOf } from './regions.ts';
import { launch, type PortName, type Site, together } from './site.ts';

export interface LifeboatOptions {
  /** Workers that only read, and so can run dry runs alone. */
  readOnly: boolean;
  ui: boolean;
  /** Workers that stand still where they are told to (`lab/kills`). */
  killPoints: boolean;
}

/** What a client needs in its environment to talk to this estate. */
export function clientEnvironment(site: Site): Record<string, string> {
  return {
    LIFEBOAT_PLANS: site.layout.planFile,
    TEMPORAL_ADDRESS: engineAddress(site),
    TEMPORAL_NAMESPACE: namespace,
  };
}

/** Lifeboat's own processes. None of them is in the way of the shop's data. */
export async function startLifeboat(site: Site, { readOnly, ui, killPoints }: LifeboatOptions): Promise<void> {
  const { layout } = site;
  for (const folder of [layout.pulse, layout.evidence]) await mkdir(folder, { recursive: true });
  await writeLauncher(layout.smoke, site.home, 'lab/shop.js', ['smoke']);
  for (const host of site.hosts) await writePermit(site, host);
  const only = readOnly ? ['--read-only'] : [];
  const preload = killPoints ? await makeKillPoints(site) : {};
  const pagesPort = site.ports.pages;
  const engineUrl = { LIFEBOAT_ENGINE_URL: `http://127.0.0.1:${site.ports.ui.number}` };
  await together(
    site,
    () => startControl(site, { args: only, ...preload }),
    ...site.hosts.map((host) => () => startHostWorker(site, host, { args: only, ...preload })),
    () => startWorker(site, { name: 'pulse', metrics: 'metricsPulse', readyFile: readyFileOf(site, 'pulse') }),
    () =>
      startWorker(site, {
        name: 'pages',
        metrics: 'metricsPages',
        readyFile: readyFileOf(site, 'pages'),
        env: { LIFEBOAT_PAGES_PORT: String(pagesPort.number), ...(ui ? engineUrl : {}) },
        ports: [pagesPort],
      }),
  );
}

/** A control worker alone. */
export async function startControl(
  site: Site,
  more: Pick<WorkerSpec, 'args' | 'env' | 'preload'> = {},
): Promise<EstateProcess> {
  return startWorker(site, {
    name: 'control',
    metrics: 'metricsControl',
    readyFile: readyFileOf(site, 'control'),
    ...more,
  });
}

function readyFileOf({ layout }: Site, name: string): string {
  return join(layout.ready, `${name}.json`);
}

async function startHostWorker(site: Site, host: Host, { args, preload }: Preload & { args: string[] }): Promise<void> {
  await startWorker(site, {
    name: `host-${host}`,
    metrics: `metrics-${host}`,
    program: 'workers/host.js',
    readyFile: join(site.layout.host(host).directory, 'ready.json'),
    args,
    env: {
      LIFEBOAT_HOST: host,
      LIFEBOAT_PERMIT: site.layout.host(host).permit,
      TMPDIR: site.layout.host(host).temporary,
      ...backupEnvironment(site, host),
    },
    account: site.account,
    ...(preload === undefined ? {} : { preload }),
  });
}

interface Preload {
  /** Loaded before the program, and what it reads. */
  preload?: { file: string; env: Record<string, string> };
}

/** The workers run as two users, and each takes its orders there. */
async function makeKillPoints({ layout, home }: Site): Promise<Preload> {
  await mkdir(layout.kills, { recursive: true });
  await chmod(layout.kills, 0o777);
  return { preload: { file: home.program('lab/kills/preload.js'), env: { [orderVariable]: layout.kills } } };
}

interface WorkerSpec extends Preload {
  name: string;
  metrics: PortName;
  /** Where it says that it is ready; in a folder that its account can write. */
  readyFile: string;
  program?: string;
  args?: string[];
  env?: Record<string, string>;
  account?: Site['account'];
  ports?: Site['ports'][keyof Site['ports']][];
}

async function startWorker(site: Site, spec: WorkerSpec): Promise<EstateProcess> {
  const { name, program = `workers/${name}.js`, args = [], env = {}, account, ports = [], readyFile, preload } = spec;
  // As an argument, not in NODE_OPTIONS, which the worker's own children would inherit.
  const before = preload === undefined ? [] : [`--import=${pathToFileURL(preload.file)}`];
  await rm(readyFile, { force: true });
  const metricsPort = site.ports[spec.metrics];
  return launch(site, {
    name,
    command: site.home.node,
    args: [...before, site.home.program(program), ...args],
    env: {
      ...clientEnvironment(site),
      LIFEBOAT_READY_FILE: readyFile,
      LIFEBOAT_METRICS: `127.0.0.1:${metricsPort.number}`,
      ...env,
      ...preload?.env,
    },
    ...(account ? { account } : {}),
    ports: [...ports, metricsPort],
    readyWithinMs: 60_000,
    // A file that an earlier process of this name left behind says nothing of this one.
    ready: async () => readyPid(await readFile(readyFile, 'utf8')) === site.processes.get(name)?.pid,
  });
}

function readyPid(text: string): number {
  return (JSON.parse(text) as { pid: number }).pid;
}

/** What the worker on this host may touch. The worker's own user must not be able to change it. */
async function writePermit(site: Site, host: Host): Promise<void> {
  const { data, scratch, backupConfiguration, permit, serverLog } = site.layout.host(host);
  const text = stringify({
    dataDirectories: [data],
    // Patroni alone stops and starts what it keeps.
    serverControl: site.patroni === undefined ? [{ dataDirectory: data, log: serverLog }] : [],
    scratch: [scratch],
    commands: [site.layout.smoke],
    backupConfigurations: [...regionsOf(site).map(site.layout.backupConfiguration), backupConfiguration],
    postgresql: site.programs.postgresql,
  });
  await rm(permit, { force: true });
  await writeFile(permit, text);
  await chmod(permit, site.account.ids ? 0o644 : 0o444);
  if (site.account.ids) await chown(permit, 0, 0);
}
