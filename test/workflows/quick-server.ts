/**
 * The time-skipping server, started from an archive of its own classes. Temporal's SDK gives it 5 s to be there; on a busy machine Java
 * alone takes longer to read and verify some ten thousand classes, and with them laid out beforehand a second.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { until } from '../../lab/until.ts';

/** Tests are over before a second compiler would have paid. */
const usual = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
const startsWithinMs = 120_000;
const endsWithinMs = 60_000;

/** A program in `folder` that starts `server` quickly. Where Java makes no archive, it does without. @see JEP 350 */
export async function quickServer(server: string, folder: string): Promise<string> {
  const archive = join(folder, 'classes.jsa');
  await runOnce(server, `${usual} -XX:ArchiveClassesAtExit=${archive}`);
  const program = join(folder, 'test-server');
  const options = `${usual} -XX:SharedArchiveFile=${archive}`;
  await writeFile(program, `#!/bin/sh\nJAVA_TOOL_OPTIONS='${options}' exec '${server}' "$@"\n`, { mode: 0o755 });
  return program;
}

/** Until it listens: by then it has loaded what every start loads. It writes the archive at its end. */
async function runOnce(server: string, options: string): Promise<void> {
  const port = await freePort();
  const child = spawn(server, [String(port)], {
    env: { ...process.env, JAVA_TOOL_OPTIONS: options },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  try {
    await until({ what: 'the time-skipping server', withinMs: startsWithinMs }, () => listens(port, child));
  } finally {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), endsWithinMs);
    await ended;
    clearTimeout(timer);
  }
}

async function listens(port: number, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`the time-skipping server ended with code ${child.exitCode}`);
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
