/** HAProxy, asked through its runtime socket. @see HAProxy Management Guide, 9.3 "Unix Socket commands" */
import { connect } from 'node:net';
import type { Traffic } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import type { Backend, TrafficKind } from './kind.ts';

/** Milliseconds for one question and its whole answer. */
const patience = 3_000;

export const haproxy: TrafficKind = {
  async backends(traffic) {
    const table = parseStatistics(await ask(traffic.socket, 'show stat'));
    const servers = table.filter((row) => row.pxname === traffic.backend);
    if (servers.length === 0) throw unknownBackend(traffic, table);
    return withoutIdleBackups(servers.filter((row) => row.svname !== 'BACKEND' && row.svname !== 'FRONTEND'));
  },
  movesTo(traffic, server, backends) {
    const name = (one: string) => `${traffic.backend}/${one}`;
    // Maintenance alone leaves open TCP sessions flowing: they are closed, or they would go on writing to the old server.
    const stop = backends
      .filter((one) => one.server !== server && one.state !== 'MAINT')
      .flatMap((one) => [`set server ${name(one.server)} state maint`, `shutdown sessions server ${name(one.server)}`]);
    return [...stop, `set server ${name(server)} state ready`];
  },
};

/** A server marked `backup` is healthy but idle as long as an ordinary one is healthy. */
function withoutIdleBackups(rows: Record<string, string>[]): Backend[] {
  const active = rows.some((row) => row.bck !== '1' && backendOf(row).serves);
  return rows.map((row) => (row.bck === '1' && active ? { ...backendOf(row), serves: false } : backendOf(row)));
}

function backendOf(row: Record<string, string>): Backend {
  const state = row.status ?? 'unknown';
  return {
    server: row.svname ?? 'unknown',
    address: row.addr || 'address hidden',
    state,
    // `UP 1/3` is going down but still serves, `no check` always does; DRAIN takes no new connections.
    serves: state.startsWith('UP') || state === 'no check',
    sessions: Number(row.scur ?? 0),
  };
}

function unknownBackend(traffic: Traffic, table: Record<string, string>[]): Error {
  const names = [...new Set(table.filter((row) => row.svname === 'BACKEND').map((row) => row.pxname))];
  return failure(
    'PlanInvalid',
    `HAProxy at ${traffic.socket} has no backend "${traffic.backend}", it has ${names.join(', ') || 'none'}. Correct traffic.backend in the plan.`,
  );
}

/** CSV with a header that begins with `# `. Quotes only stand around the last check's output. */
export function parseStatistics(text: string): Record<string, string>[] {
  const [header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = header.replace(/^# /, '').split(',');
  return lines.map((line) => {
    const cells = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => unquote(cell));
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}

function unquote(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

/** One command, one answer; HAProxy closes the connection after it. */
function ask(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(addressOf(socket));
    const chunks: Buffer[] = [];
    const give = (why: string, cause?: Error) => {
      connection.destroy();
      reject(
        failure(
          'TrafficUnreachable',
          `HAProxy's runtime socket ${socket} ${why}; expected an answer to "${command}". See whether HAProxy runs, and the line "stats socket" of its configuration.`,
          cause,
        ),
      );
    };
    const timer = setTimeout(() => give(`did not answer within ${patience / 1000} s`), patience);
    connection.on('data', (chunk) => chunks.push(chunk));
    connection.on('error', (error) => {
      clearTimeout(timer);
      give(reasonOf(error), error);
    });
    connection.on('end', () => {
      clearTimeout(timer);
      connection.destroy();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    // Not end(): HAProxy may take a half-closed connection for a client that went away.
    connection.write(`${command}\n`);
  });
}

function addressOf(socket: string): { path: string } | { host: string; port: number } {
  if (socket.startsWith('/')) return { path: socket };
  const [, host, port] = /^(.+):(\d+)$/.exec(socket) ?? [];
  if (host === undefined || port === undefined)
    throw failure(
      'PlanInvalid',
      `traffic.socket "${socket}" is neither an absolute path nor host:port. Write the runtime socket of HAProxy.`,
    );
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'does not exist';
  if (error.code === 'EACCES') return 'may not be opened by the control worker';
  if (error.code === 'ECONNREFUSED') return 'refuses connections';
  return `failed: ${error.message}`;
}
