/** A real HAProxy before three small web servers: two that serve, and one that says that the service is away. */
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../../../activities/traffic/haproxy-socket.ts';
import { parseStates } from '../../../activities/visitors/haproxy.ts';
import { closeFront, frontConfiguration, type VisitedServer } from '../../../lab/visitors.ts';
import type { Visitors } from '../../../plan/visitors.ts';
import { type Child, eventually, freePort, partPath, start } from '../control/rig.ts';

type Name = VisitedServer;

/** How a server answers visitors; its health check is always answered well. */
export interface Manner {
  status?: number;
  text?: string;
  delayMs?: number;
  /** One answer in so many has status 500. */
  fails?: number;
}

export interface Front {
  visitors: Visitors;
  url: string;
  /** From now on. */
  answers(name: Name, manner: Manner): void;
  /** How often visitors have come to each, as the servers themselves count. */
  counts(): Record<Name, number>;
  /** Percent of this many visitors who come to the service. */
  shareOfVisitors(number: number): Promise<number>;
  weights(): Promise<string>;
  /** By hand, past Lifeboat. */
  tell(command: string): Promise<string>;
  /** Nobody is led to the service, and all servers answer well. */
  close(): Promise<void>;
  /** As an operator does it, whose new process takes over from the old one. @param forget the weights that were kept */
  reload(options?: { forget?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

const well: Record<Name, Manner> = {
  app1: { text: 'orders by app1' },
  app2: { text: 'orders by app2' },
  sorry: { status: 503, text: 'be back soon' },
};

export async function startFront(directory: string): Promise<Front> {
  const servers = new Map<Name, Answering>();
  for (const name of ['app1', 'app2', 'sorry'] as const) servers.set(name, await Answering.start(name));
  const [port, socket, stateFile] = [await freePort(), join(directory, 'admin.sock'), join(directory, 'servers.state')];
  const file = join(directory, 'haproxy.cfg');
  const at = (name: Name) => servers.get(name)?.port ?? 0;
  await writeFile(stateFile, '1\n');
  await writeFile(
    file,
    frontConfiguration({
      socket,
      stateFile,
      port,
      servers: { app1: at('app1'), app2: at('app2'), sorry: at('sorry') },
    }),
  );
  const haproxy = await partPath('haproxy');
  let generation = 0;
  const launch = async (args: string[]): Promise<Child> => {
    generation += 1;
    const child = await start({
      directory,
      name: `haproxy-${generation}`,
      command: haproxy,
      args: ['-db', '-f', file, ...args],
    });
    await eventually('this HAProxy answers', async () =>
      (await ask(socket, 'show info')).includes(`\nPid: ${child.pid}\n`) ? true : undefined,
    );
    return child;
  };
  let child = await launch([]);
  const url = `http://127.0.0.1:${port}/`;
  const tell = (command: string) => ask(socket, command);
  return {
    url,
    tell,
    visitors: {
      kind: 'haproxy',
      socket,
      backend: 'app',
      stateFile,
      servers: ['app1', 'app2'],
      closed: 'sorry',
      shares: [5, 25, 100],
      soak: 3_000,
      healthy: { url, status: 200, contains: 'orders', within: 5_000 },
      // A busy machine is slow, and is no failure of what is tested.
      stopWhen: { errors: 2, latency: 2_000 },
    },
    answers: (name, manner) => {
      const server = servers.get(name);
      if (server !== undefined) server.manner = manner;
    },
    counts: () => Object.fromEntries([...servers].map(([name, { visits }]) => [name, visits])) as Record<Name, number>,
    shareOfVisitors: async (number) => {
      let came = 0;
      for (let visit = 0; visit < number; visit += 1) {
        const answer = await fetch(url, { headers: { connection: 'close' } });
        if ((await answer.text()).startsWith('orders')) came += 1;
      }
      return (100 * came) / number;
    },
    weights: async () =>
      parseStates(await tell('show servers state app'))
        .map(({ srv_name, srv_uweight }) => `${srv_name} ${srv_uweight}`)
        .join(', '),
    close: async () => {
      for (const [name, server] of servers) server.manner = well[name];
      await closeFront(socket);
      await writeFile(stateFile, await tell('show servers state'));
    },
    reload: async ({ forget = false } = {}) => {
      if (forget) await writeFile(stateFile, '1\n');
      const old = child;
      child = await launch(['-x', socket, '-sf', String(old.pid)]);
      await old.exit;
    },
    stop: async () => {
      await child.end('SIGKILL');
      for (const server of servers.values()) server.stop();
    },
  };
}

class Answering {
  readonly port: number;
  manner: Manner;
  visits = 0;
  readonly #server: Server;

  private constructor(name: Name, port: number) {
    this.port = port;
    this.manner = well[name];
    this.#server = createServer(async (request, response) => {
      if (request.url === '/check') return void response.end('up');
      this.visits += 1;
      const { status = 200, text = '', delayMs = 0, fails } = this.manner;
      if (delayMs > 0) await pause(delayMs);
      const failed = fails !== undefined && this.visits % fails === 0;
      response.writeHead(failed ? 500 : status).end(failed ? 'broken' : text);
    });
  }

  static async start(name: Name): Promise<Answering> {
    const server = new Answering(name, await freePort());
    await new Promise<void>((resolve) => server.#server.listen(server.port, '127.0.0.1', resolve));
    return server;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
