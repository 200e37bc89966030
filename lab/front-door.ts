import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { superuser } from './host.ts';
import type { Host } from './layout.ts';
import type { Port } from './ports.ts';
import { doorAddress, hostsIn, type Region } from './regions.ts';
import { launch, type Site } from './site.ts';

export const backend = 'postgres';

/** The small process beside a server that says whether it is the primary. */
export async function startRoleEndpoint(site: Site, host: Host): Promise<void> {
  const port = site.ports[`role-${host}`];
  await launch(site, {
    name: `role-${host}`,
    command: site.home.node,
    args: [site.home.program('lab/role-endpoint.js')],
    account: site.account,
    env: {
      LAB_ROLE_PORT: String(port.number),
      LAB_ROLE_SERVER: site.layout.host(host).socket,
      LAB_ROLE_SERVER_PORT: String(site.ports[host].number),
      LAB_ROLE_USER: superuser,
    },
    ports: [port],
    ready: async () => (await fetch(`http://127.0.0.1:${port.number}/health`)).ok,
  });
}

/** HAProxy, which leads to whichever server of its region says that it is the primary. */
export async function startFrontDoor(site: Site, region: Region): Promise<void> {
  const { folder, socket } = site.layout.door(region);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configuration(site, region));
  await launch(site, {
    name: doorProcess(region),
    command: site.programs.haproxy,
    args: ['-db', '-f', file],
    ports: [listensOn(site, region).port],
    // A server counts as up until its first check: a standby could be served before.
    ready: async () => {
      const states = await serverStates(socket);
      const checked = states.every(({ check }) => check.startsWith('L7'));
      return checked && (site.twoSites || states.some(({ status }) => status === 'UP'));
    },
  });
}

export const doorProcess = (region: Region): string => (region === 'east' ? 'front-door' : 'front-door-west');

/** Where clients of a region come in. */
export function listensOn({ twoSites, ports }: Site, region: Region): { address: string; port: Port } {
  return twoSites
    ? { address: doorAddress[region], port: ports.siteDoor }
    : { address: '127.0.0.1', port: ports.frontDoor };
}

function configuration(site: Site, region: Region): string {
  const { socket, states } = site.layout.door(region);
  const { address, port } = listensOn(site, region);
  const servers = hostsIn(site, region).map(
    (host) => `  server ${host} 127.0.0.1:${site.ports[host].number} check port ${site.ports[`role-${host}`].number}`,
  );
  return `global
  stats socket ${socket} mode 600 level admin
  stats timeout 1h
  # What a switchover has said to it holds when it is started again.
  server-state-file ${states}

defaults
  mode tcp
  load-server-state-from-file global
  timeout connect 2s
  timeout client 1h
  timeout server 1h

frontend orders
  bind ${address}:${port.number}
  default_backend ${backend}

backend ${backend}
  option httpchk GET /primary
  http-check expect status 200
  # A session that outlived its server's role would go on writing to it.
  default-server inter 500ms fastinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}

export interface ServerState {
  name: string;
  /** `UP`, `DOWN`, `MAINT` ... */
  status: string;
  /** What the last check said: `L7OK`, `L7STS`, `L4CON`; empty before the first one. */
  check: string;
}

/** The servers of the backend, as HAProxy's runtime socket shows them. */
export async function serverStates(socket: string): Promise<ServerState[]> {
  const lines = (await ask(socket, 'show stat')).replace(/^# /, '').trim().split('\n');
  const header = (lines[0] ?? '').split(',');
  const column = (row: string[], name: string) => row[header.indexOf(name)] ?? '';
  return lines
    .slice(1)
    .map((line) => line.split(','))
    .filter((row) => column(row, 'pxname') === backend && column(row, 'svname') !== 'BACKEND')
    .map((row) => ({
      name: column(row, 'svname'),
      status: column(row, 'status'),
      check: column(row, 'check_status').replace('* ', ''),
    }));
}

function ask(path: string, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(2_000, () => socket.destroy(new Error(`${path} does not answer`)));
    socket.on('connect', () => socket.end(`${question}\n`));
    socket.on('data', (part) => {
      answer += part;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
  });
}
