/** HAProxy's runtime socket. @see HAProxy Management Guide, 9.3 "Unix Socket commands" */
import { connect } from 'node:net';
import { failure } from '../failure.ts';

/** Milliseconds for one question and its whole answer. */
const patience = 3_000;

/** One command, one answer; HAProxy closes the connection after it. */
export function ask(socket: string, command: string): Promise<string> {
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
      `the socket "${socket}" of the plan is neither an absolute path nor host:port. Write the runtime socket of HAProxy.`,
    );
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'does not exist';
  if (error.code === 'EACCES') return 'may not be opened by the control worker';
  if (error.code === 'ECONNREFUSED') return 'refuses connections';
  return `failed: ${error.message}`;
}
