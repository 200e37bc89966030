import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DnsUpdateEntry } from '../plan/entry.ts';
import type { Account } from './account.ts';
import type { Home } from './home.ts';
import { type Host, hostNames, type Layout } from './layout.ts';
import type { PatroniSettings } from './patroni/settings.ts';
import { type Port, reservePort } from './ports.ts';
import { EstateProcess, type ProcessSpec } from './process.ts';
import type { Secrets } from './secrets.ts';

/** Programs that an estate is made of. */
export interface Programs {
  /** Directory of PostgreSQL's server programs. */
  postgresql: string;
  pgbackrest: string;
  haproxy: string;
  temporal: string;
  versitygw: string;
  openssl: string;
  /** Of an estate of two sites. */
  toxiproxy?: string;
  named?: string;
  /** Of an estate whose servers Patroni keeps. */
  patroni?: string;
  etcd?: string;
}

const portNames = [
  ...(['engine', 'ui', 'store', 'gateway', 'frontDoor', 'app', 'pages', 'slack', 'etcd', 'etcdPeers'] as const),
  ...(['storeWest', 'siteDoor', 'links', 'linkToEast', 'linkToWest', 'dns', 'resolver'] as const),
  ...(['metricsControl', 'metricsPulse', 'metricsPages'] as const),
  ...hostNames.flatMap((host) => [host, `role-${host}`, `metrics-${host}`] as const),
] as const;
export type PortName = (typeof portNames)[number];

export interface Tuning {
  walSegmentMb: number;
  archiveTimeout: string;
  sharedBuffersMb: number;
}

/** What every part of an estate needs while it is built. */
export interface Site {
  layout: Layout;
  /** db1 is in the east, the others in the west (`lab/regions.ts`). */
  twoSites: boolean;
  /** Those with a database server on them; the first one's is the primary when it is built. */
  hosts: readonly Host[];
  programs: Programs;
  account: Account;
  home: Home;
  secrets: Secrets;
  /** Absent: no cluster manager. */
  patroni?: PatroniSettings;
  tuning: Tuning;
  ports: Record<PortName, Port>;
  /** The name by which clients know a service of two sites. */
  entry?: DnsUpdateEntry;
  processes: Map<string, EstateProcess>;
  say(line: string): void;
  /** Aborted when the estate is given up while it is being built. */
  signal: AbortSignal;
  giveUp(reason: unknown): void;
}

/**
 * Runs branches side by side. When one fails the others are given up, and waited for: whoever cleans up afterwards must not
 * be overtaken by a process that a branch was just about to start.
 */
export async function together(site: Site, ...branches: (() => Promise<unknown>)[]): Promise<void> {
  const running = branches.map((branch) => branch());
  try {
    await Promise.all(running);
  } catch (error) {
    site.giveUp(error);
    await Promise.allSettled(running);
    throw error;
  }
}

/** What a process needs of its estate to be started in it. */
export type Ground = Pick<Site, 'processes' | 'say' | 'signal'> & { layout: Pick<Layout, 'root' | 'logs' | 'pids'> };

/** Starts one process of the estate, and remembers it so that it is ended with the estate. */
export async function launch(site: Ground, spec: ProcessSpec): Promise<EstateProcess> {
  site.signal.throwIfAborted();
  const { layout, say, signal } = site;
  await mkdir(layout.logs, { recursive: true });
  // Those whose command line does not name the estate are known by where they work.
  const started = new EstateProcess(
    { cwd: layout.root, ...spec },
    {
      logFile: join(layout.logs, `${spec.name}.log`),
      pidFile: join(layout.pids, `${spec.name}.pid`),
      say,
      signal,
    },
  );
  site.processes.set(spec.name, started);
  await started.start();
  return started;
}

/** `prefer`: what people find easily, when it is free. */
export async function reservePorts(prefer: Partial<Record<PortName, number>>): Promise<Record<PortName, Port>> {
  const reserved = new Map<PortName, Port>();
  for (const name of portNames) reserved.set(name, await reservePort(prefer[name]));
  return Object.fromEntries(reserved) as Record<PortName, Port>;
}

/** Gives back the ports of parts that were left out. */
export async function releasePorts(ports: Record<PortName, Port>): Promise<void> {
  await Promise.all(Object.values(ports).map((port) => port.release()));
}
