#!/usr/bin/env node
/** lifeboat-pages: a small web server that shows runs and readiness. It only reads; whoever can reach it can see all of it. */
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { pino } from 'pino';
import { serveMetrics } from './metrics/metrics.ts';
import { temporalEngine } from './pages/engine.ts';
import { pagesServer } from './pages/server.ts';
import { storesOf } from './pages/stores.ts';

const logger = pino({ name: 'lifeboat-pages' });
const identity = `pages@${hostname()}:${process.pid}`;

/** How long an answer that is on its way may take once the process was told to end. */
const closeWithinMs = 2000;

async function main(): Promise<void> {
  const served = await serveMetrics('pages');
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  // Lazy: the pages come up without Temporal, and say that it does not answer.
  const connection = Connection.lazy(connectionOptions);
  const client = new Client({ connection, namespace, identity });
  const engineUrl = urlsOf(process.env.LIFEBOAT_ENGINE_URL, namespace);
  const server = pagesServer(
    {
      engine: temporalEngine(connection, client),
      stores: storesOf(process.env.LIFEBOAT_PLANS),
      ...(engineUrl === undefined ? {} : { engineUrl }),
    },
    logger,
    (status) => served?.metrics.count('pageRequests', { status: String(status) }),
  );
  const stop = stopped();
  server.listen(portOf(process.env.LIFEBOAT_PAGES_PORT), process.env.LIFEBOAT_PAGES_HOST || '127.0.0.1');
  await once(server, 'listening');
  logger.info({ address: server.address() }, 'listening');
  await sayReady(process.env.LIFEBOAT_READY_FILE);

  await stop;
  setTimeout(() => server.closeAllConnections(), closeWithinMs).unref();
  server.close();
  server.closeIdleConnections();
  await once(server, 'close');
  await connection.close();
  await served?.close();
  logger.info('stopped');
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

function portOf(text = '8080'): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new Error(`LIFEBOAT_PAGES_PORT is "${text}": write a port between 0 and 65535`);
}

/** Addresses in the Temporal UI. */
function urlsOf(base: string | undefined, namespace: string): ((run?: string) => string) | undefined {
  if (base === undefined || base === '') return undefined;
  if (!URL.canParse(base) || !['http:', 'https:'].includes(new URL(base).protocol))
    throw new Error(
      `LIFEBOAT_ENGINE_URL is "${base}": write the address of the Temporal UI, such as http://127.0.0.1:8233`,
    );
  const workflows = `${base.replace(/\/+$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows`;
  return (run) => (run === undefined ? workflows : `${workflows}/${encodeURIComponent(run)}`);
}

async function sayReady(file: string | undefined): Promise<void> {
  if (file === undefined || file === '') return;
  await writeFile(`${file}.part`, JSON.stringify({ pid: process.pid, identity }));
  await rename(`${file}.part`, file);
}

main().catch((error: unknown) => {
  logger.fatal(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
