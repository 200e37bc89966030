#!/usr/bin/env node
/** lifeboat-control: runs the workflows, and does what can be done over the network. Any number of them may run. */
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { controlChanges, controlReads, controlRecords } from '../activities/control.ts';
import { controlQueue } from '../workflows/messages.ts';
import { knownPlans } from './known-plans.ts';
import { serveMetrics } from './metrics/metrics.ts';
import { watchServices } from './metrics/services.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { bringEvidenceHome } from './waiting-evidence.ts';
import { runWorker } from './worker.ts';

const logger = pino({ name: 'lifeboat-control' });

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'read-only': { type: 'boolean', default: false } } });
  const served = await serveMetrics('control');
  await knownPlans(logger);
  const stop = new AbortController();
  if (served !== undefined) void watchServices(served.metrics, stop.signal, logger);
  await registerSearchAttributes(logger);
  void bringEvidenceHome(logger, stop.signal);
  const readyFile = process.env.LIFEBOAT_READY_FILE;
  await runWorker({
    identity: `control@${hostname()}:${process.pid}`,
    taskQueue: controlQueue,
    // Lifeboat's own records are written in a dry run too.
    activities: { ...controlReads, ...controlRecords, ...(values['read-only'] ? {} : controlChanges) },
    workflowBundle: { codePath: join(dirname(dirname(fileURLToPath(import.meta.url))), 'workflow-bundle.js') },
    ...(readyFile === undefined ? {} : { readyFile }),
    ...(served && { metrics: served.metrics }),
  });
  stop.abort();
  await served?.close();
}

main().then(
  // A look for the metrics may still wait for a store that is silent.
  () => process.exit(0),
  (error: unknown) => {
    logger.fatal(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
