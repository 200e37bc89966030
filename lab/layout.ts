import { join } from 'node:path';
import type { Region } from './regions.ts';

/** Names that the hosts of an estate may have. */
export const hostNames = ['db1', 'db2', 'db3', 'db4'] as const;
export type Host = (typeof hostNames)[number];

/** Of the usual estate: the primary's when it is built, and its standby's. */
export const hosts = ['db1', 'db2'] as const satisfies readonly Host[];

/** What lies where below an estate's folder. Short names: a socket's path may have no more than 107 bytes. */
export interface Layout {
  root: string;
  logs: string;
  pids: string;
  secrets: string;
  certificates: string;
  /** Objects, and beside them what the store knows of them. */
  store: string;
  /** The same of the west. */
  storeWest: string;
  faultSocket: string;
  engineFile: string;
  door(region: Region): DoorLayout;
  /** The zone's server and a resolver. */
  dns: string;
  /** The links between two sites. */
  links: string;
  plans: string;
  planFile: string;
  smoke: string;
  /** Log of acknowledged pulses. */
  pulse: string;
  /** Evidence, when the store is down. */
  evidence: string;
  ready: string;
  loadReport: string;
  /** A line for each purchase that the load has made. */
  loadTimes: string;
  /** Orders to stand still at a point, when the workers take them. */
  kills: string;
  /** That of the store of a region, which its plan names. */
  backupConfiguration(region: Region): string;
  /** Of the role that standbys connect with; on the hosts of a real estate, one file on each. */
  passfile: string;
  host(name: Host): HostLayout;
}

export interface DoorLayout {
  folder: string;
  socket: string;
  /** What was said to HAProxy, for when it is started again. */
  states: string;
}

export interface HostLayout {
  directory: string;
  data: string;
  socket: string;
  /** Root of what drills may make here. */
  scratch: string;
  backupConfiguration: string;
  /** Logs, locks and spool of pgBackRest. */
  backrest: string;
  /** What a server writes that is started there by Lifeboat, before its own log is open. */
  serverLog: string;
  permit: string;
  /** For temporary files of what runs here. */
  temporary: string;
}

export function layout(root: string): Layout {
  const at = (...parts: string[]) => join(root, ...parts);
  return {
    root,
    logs: at('logs'),
    pids: at('pids'),
    secrets: at('secrets'),
    certificates: at('certificates'),
    store: at('store'),
    storeWest: at('store-west'),
    faultSocket: at('store', 'faults.sock'),
    engineFile: at('engine', 'engine.db'),
    door: (region) => {
      const folder = region === 'east' ? 'door' : 'door-west';
      return { folder: at(folder), socket: at(folder, 'admin.sock'), states: at(folder, 'servers.state') };
    },
    dns: at('dns'),
    links: at('links.json'),
    plans: at('plans'),
    planFile: at('plans', 'orders.yaml'),
    smoke: at('bin', 'orders-smoke'),
    pulse: at('pulse'),
    evidence: at('evidence'),
    ready: at('ready'),
    loadReport: at('ready', 'load.json'),
    loadTimes: at('ready', 'load.times'),
    kills: at('kills'),
    backupConfiguration: (region) => at(region === 'east' ? 'pgbackrest.conf' : 'pgbackrest-west.conf'),
    passfile: at('pgpass'),
    host: (name) => ({
      directory: at(name),
      data: at(name, 'data'),
      socket: at(name, 'socket'),
      scratch: at(name, 'drill'),
      backupConfiguration: at(name, 'pgbackrest.conf'),
      backrest: at(name, 'backrest'),
      serverLog: at(name, 'server.log'),
      permit: at(`${name}.permit.yaml`),
      temporary: at(name, 'tmp'),
    }),
  };
}
