/** A whole estate on one machine, in one folder, on free ports: for the demo and for the tests. */
import { type BuildOptions, type Built, build } from './build.ts';
import { demolish } from './demolish.ts';
import { engineAddress } from './engine.ts';
import { type Faults, faultsAt } from './faults.ts';
import { type Host, hostNames } from './layout.ts';
import { clientEnvironment } from './lifeboat.ts';
import type { EstateProcess } from './process.ts';
import type { PortName } from './site.ts';

export type EstateOptions = BuildOptions;

export interface EstateServer {
  port: number;
  socket: string;
  data: string;
  /** Where drills may restore on this host. */
  scratch: string;
  process: EstateProcess;
}

export interface Estate {
  root: string;
  planFile: string;
  /** To talk to it: LIFEBOAT_PLANS, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE. */
  env: Record<string, string>;
  ports: Record<PortName, number>;
  /** Those of its own hosts; whoever asks for another is told so. */
  servers: Record<Host, EstateServer>;
  /** By name: engine, store, fault-proxy, db1, db2, role-db1, role-db2, front-door, shop, load, control, host-db1, host-db2, pulse, pages; slack, slack-gateway. With Patroni db1 and so on are Patroni, which starts the servers; there are no roles, but etcd. */
  processes: ReadonlyMap<string, EstateProcess>;
  process(name: string): EstateProcess;
  temporal: { address: string; uiUrl: string };
  pagesUrl: string;
  appUrl: string;
  /** The workspace of an estate with `slack`. */
  slackUrl: string;
  /** Where the workers serve their metrics, by process. */
  metricsUrls: Record<'control' | `host-${Host}` | 'pulse' | 'pages', string>;
  faults: Faults;
  site: Built;
  /** Ends exactly the processes it started, removes its folder, and proves both. */
  stop(): Promise<void>;
}

/**
 * Builds an estate and waits until all of it serves.
 * What was started is ended and removed again when anything fails, or when `options.signal` is aborted.
 */
export async function startEstate(options: EstateOptions): Promise<Estate> {
  try {
    return estateOf(await build(options));
  } catch (error) {
    // Between choosing a port and listening on it somebody else can take it; hardly twice.
    if (!portWasTaken(error)) throw error;
    options.say?.('a port was taken by somebody else: beginning again with others');
    return estateOf(await build(options));
  }
}

function portWasTaken(error: unknown): boolean {
  return error instanceof Error && /address already in use|EADDRINUSE|cannot bind/i.test(error.message);
}

function estateOf(site: Built): Estate {
  const { layout, ports, processes } = site;
  const url = (port: PortName) => `http://127.0.0.1:${ports[port].number}`;
  const named = (name: string): EstateProcess => {
    const found = processes.get(name);
    if (found === undefined)
      throw new Error(`this estate has no process "${name}"; it has ${[...processes.keys()].join(', ')}`);
    return found;
  };
  const server = (host: Host): EstateServer => {
    const { socket, data, scratch } = layout.host(host);
    return { port: ports[host].number, socket, data, scratch, process: named(host) };
  };
  return {
    root: layout.root,
    planFile: layout.planFile,
    env: clientEnvironment(site),
    ports: Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, port.number])) as Record<
      PortName,
      number
    >,
    servers: serversOf(site, server),
    processes,
    process: named,
    temporal: { address: engineAddress(site), uiUrl: url('ui') },
    pagesUrl: url('pages'),
    appUrl: url('app'),
    slackUrl: url('slack'),
    metricsUrls: {
      control: `${url('metricsControl')}/metrics`,
      pulse: `${url('metricsPulse')}/metrics`,
      pages: `${url('metricsPages')}/metrics`,
      ...Object.fromEntries(site.hosts.map((host) => [`host-${host}`, `${url(`metrics-${host}`)}/metrics`])),
    } as Estate['metricsUrls'],
    faults: faultsAt(layout.faultSocket),
    site,
    stop: () => demolish(site),
  };
}

function serversOf(site: Built, server: (host: Host) => EstateServer): Estate['servers'] {
  const servers = {};
  for (const host of hostNames)
    Object.defineProperty(servers, host, { enumerable: site.hosts.includes(host), get: () => server(host) });
  return servers as Estate['servers'];
}
