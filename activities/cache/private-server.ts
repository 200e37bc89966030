/**
 * A Redis server that nobody but Lifeboat can reach: no port, a socket in a directory of its own. It is started with production's configuration,
 * so that it names, reads and writes its files as production does.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runLong } from '../child.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { endProcesses, processesNaming } from '../processes.ts';
import { lastLines } from '../tail.ts';
import { inTemporary } from '../temporary.ts';
import { type Login, type Send, withRedis, wordsOf } from './connection.ts';

export interface PrivateServer {
  program: string;
  config: string;
  /** What it reads and writes. */
  directory: string;
  /** A path that its title names: whoever comes after a worker that was killed finds it by that. Redis writes its title over its environment. */
  belongsTo: string;
  log: string;
  login: Login;
  withinMs: number;
  /** On its command line, after the configuration. */
  more?: string[];
}

const title = 'lifeboat-restore';

/** By its command line, or the title that it has written over it. */
export const isPrivate = (command: string): boolean => command.includes(title);

/** Ends those that belong to this place, and what they have started. */
export async function endPrivateServers(belongsTo: string): Promise<void> {
  const found = await processesNaming(belongsTo);
  // Not, say, the pager of a person who reads the log there.
  await endProcesses(
    found.filter(({ command }) => command.startsWith(title) || /^\S*redis-server /.test(command)),
    10_000,
  );
}

/** Against a server that reads its data for long. Milliseconds. */
const answerWithinMs = 10_000;

/**
 * Starts it, waits until it has loaded its data, and stops it when the work is done, whatever comes of it: nothing of it is left.
 *
 * @throws RestoreFailed it ends by itself
 */
export function withPrivateServer<T>(wanted: PrivateServer, work: (send: Send) => Promise<T>): Promise<T> {
  // Short: the path of a socket has 107 bytes at the most.
  return inTemporary('redis', async (folder) => {
    const socket = join(folder, 's');
    const stop = new AbortController();
    const server = runLong({
      file: wanted.program,
      words: [wanted.config, ...(await privately(wanted, socket))],
      log: wanted.log,
      details: ([line = '']) => ({ line }),
      stop: stop.signal,
    });
    const ended = server.then(async ({ code }) => {
      throw await deadServer(wanted, code);
    });
    // Told by the race, or of no interest once the work is done.
    ended.catch(() => undefined);
    try {
      return await Promise.race([ended, atWork(wanted, socket, work)]);
    } finally {
      stop.abort();
      await server.catch(() => undefined);
    }
  });
}

async function atWork<T>(wanted: PrivateServer, socket: string, work: (send: Send) => Promise<T>): Promise<T> {
  const deadline = performance.now() + wanted.withinMs;
  for (;;) {
    const loaded = await withRedis({ socket }, wanted.login, (send) => send('INFO', 'persistence')).catch(
      (error: unknown) => {
        if (isAway(error)) return '';
        throw error;
      },
    );
    if (/^loading:0/m.test(String(loaded))) break;
    if (performance.now() > deadline)
      throw failure(
        'RestoreFailed',
        `the server that loads ${wanted.directory} has not done so after ${Math.round(wanted.withinMs / 1000)} s. See ${wanted.log}; give the component a longer healthyWithin.`,
      );
    await pause(50, { loading: wanted.directory });
  }
  return withRedis({ socket }, wanted.login, work, answerWithinMs);
}

/** No port, no replication, no snapshot of its own accord, no other process: whatever the configuration says. */
async function privately(
  { config, directory, belongsTo, more = [] }: PrivateServer,
  socket: string,
): Promise<string[]> {
  // A server that was built without TLS does not know the word.
  const tls = /^\s*tls-port\s/m.test(await readFile(config, 'utf8').catch(() => ''));
  return [
    ...['--port', '0', ...(tls ? ['--tls-port', '0'] : []), '--unixsocket', socket, '--unixsocketperm', '700'],
    ...['--daemonize', 'no', '--supervised', 'no', '--pidfile', '', '--logfile', ''],
    ...['--proc-title-template', `${title} ${belongsTo}`],
    ...['--replicaof', 'no', 'one', '--save', '', '--dir', directory],
    ...more,
  ];
}

function isAway(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'CacheUnreachable';
}

async function deadServer({ log, directory }: PrivateServer, code: number): Promise<Error> {
  const said = (await lastLines(log, 3).catch(() => [])).join(' | ');
  return failure(
    'RestoreFailed',
    `the server that loads ${directory} ended by itself (exit ${code}): ${said}. The old files are set aside; mend that, then try again, or abort to have them back.`,
  );
}

/** What production writes where, by Redis' own reading of its configuration. */
export interface Layout {
  rdb: string;
  appendOnlyDirectory: string;
  /** Of before Redis 7: it would be read, and wins against the RDB. */
  appendOnlyFile: string;
  appendOnly: boolean;
}

/** @param empty a directory in which nothing lies: what it loads is nothing @throws RestoreFailed the configuration cannot be used */
export async function layoutBy(wanted: Omit<PrivateServer, 'directory'>, empty: string): Promise<Layout> {
  // Not told `--appendonly`, so that it says what the configuration wants; it writes into a directory that is removed.
  return withPrivateServer({ ...wanted, directory: empty }, async (send) => {
    const one = async (name: string): Promise<string> => {
      const reply = (await send('CONFIG', 'GET', name).catch((error: unknown) => {
        throw failure(
          'CacheRefused',
          `the user of the plan may not read the configuration of Redis (${wordsOf(error)}).`,
        );
      })) as unknown[];
      return String(reply[1] ?? '');
    };
    return {
      rdb: await one('dbfilename'),
      appendOnlyDirectory: await one('appenddirname'),
      appendOnlyFile: await one('appendfilename'),
      appendOnly: (await one('appendonly')) === 'yes',
    };
  });
}
