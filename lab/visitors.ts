/** The way of visitors to a small application: HAProxy before two servers that serve, and one that says that the service is away. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { ask } from '../activities/traffic/haproxy-socket.ts';
import { reservePort } from './ports.ts';
import { type Ground, launch } from './site.ts';

const names = ['app1', 'app2', 'sorry'] as const;
export type VisitedServer = (typeof names)[number];

interface Front {
  socket: string;
  stateFile: string;
  port: number;
  /** Where each listens. */
  servers: Record<VisitedServer, number>;
}

/** All visitors come to the service; what is said to it holds when it is reloaded. */
export function frontConfiguration({ socket, stateFile, port, servers }: Front): string {
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
  server-state-file ${stateFile}
defaults
  mode http
  load-server-state-from-file global
  timeout connect 2s
  timeout client 20s
  timeout server 20s
frontend front
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance roundrobin
  option httpchk GET /check
  default-server inter 500ms fall 3 rise 1
  server app1 127.0.0.1:${servers.app1} check weight 10
  server app2 127.0.0.1:${servers.app2} check weight 10
  server sorry 127.0.0.1:${servers.sorry} weight 0
`;
}

/** Leads nobody to the service. */
export async function closeFront(socket: string): Promise<void> {
  const said = await ask(
    socket,
    'set server app/sorry weight 100; set server app/app1 weight 0; set server app/app2 weight 0',
  );
  if (said.trim() !== '') throw new Error(`HAProxy said: ${said}`);
}

export interface Visited {
  /** The section of a plan, as one line of YAML. */
  section: string;
  stop(): void;
}

/**
 * Nobody is led to the service at the beginning. HAProxy ends with its ground, the servers by `stop`.
 *
 * @param soak how long the plan watches each share
 */
export async function startVisitors(
  ground: Ground,
  { haproxy, directory, soak }: { haproxy: string; directory: string; soak: string },
): Promise<Visited> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(directory, name);
  const [socket, stateFile, file] = [at('admin.sock'), at('servers.state'), at('haproxy.cfg')];
  const started = await Promise.all(names.map(startServer));
  const servers = Object.fromEntries(started.map(({ name, port }) => [name, port])) as Record<VisitedServer, number>;
  const port = await reservePort();
  await writeFile(stateFile, '1\n');
  await writeFile(file, frontConfiguration({ socket, stateFile, port: port.number, servers }));
  await launch(ground, {
    name: 'visitors-front',
    command: haproxy,
    args: ['-db', '-f', file],
    ports: [port],
    ready: async () => (await ask(socket, 'show info')).includes('Pid:'),
  });
  await closeFront(socket);
  // JSON is YAML.
  const section = {
    ...{ kind: 'haproxy', socket, stateFile, backend: 'app', servers: ['app1', 'app2'], closed: 'sorry', soak },
    healthy: { url: `http://127.0.0.1:${port.number}/`, contains: 'orders' },
  };
  return {
    section: `visitors: ${JSON.stringify(section)}\n`,
    stop: () => {
      for (const { server } of started) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function startServer(name: VisitedServer): Promise<{ name: VisitedServer; server: Server; port: number }> {
  const server = createServer((_request, response) =>
    name === 'sorry' ? response.writeHead(503).end('be back soon') : response.end(`orders by ${name}`),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { name, server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
