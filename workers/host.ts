#!/usr/bin/env node
/**
 * The worker beside the data: restores, replays, backs up, on one host, as the user that owns the database.
 * LIFEBOAT_HOST names the host as the plan does, LIFEBOAT_PERMIT the file of what it may touch. `--read-only` looks and changes nothing.
 */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { hostChanges, hostReads } from '../activities/host.ts';
import { guardPermit } from '../activities/permit.ts';
import { hostQueue } from '../workflows/messages.ts';
import { knownPlans } from './known-plans.ts';
import { type Metrics, serveMetrics } from './metrics/metrics.ts';
import { watchRepositories } from './metrics/repository.ts';
import { log, runWorker, startOrExplain } from './worker.ts';

startOrExplain(async () => {
  const problems = problemsOfEnvironment();
  if (problems.length > 0) throw new Error(`lifeboat-host cannot start: ${problems.join('; ')}`);
  for (const warning of await guardPermit()) log.warn({ permit: process.env.LIFEBOAT_PERMIT }, warning);
  const host = process.env.LIFEBOAT_HOST ?? hostname();
  const served = await serveMetrics('host');
  const stop = new AbortController();
  if (served !== undefined) await watchRepositoriesOfPlans(served.metrics, host, stop.signal);
  const readOnly = process.argv.includes('--read-only');
  const readyFile = process.env.LIFEBOAT_READY_FILE;
  await runWorker({
    identity: `host-${host}@${process.pid}`,
    taskQueue: hostQueue(host),
    activities: readOnly ? hostReads : { ...hostReads, ...hostChanges },
    ...(readyFile === undefined ? {} : { readyFile }),
    // Each is a heavy program of its own on a machine that may serve a database beside.
    maxConcurrentActivities: 4,
    ...(served && { metrics: served.metrics }),
  });
  stop.abort();
  await served?.close();
});

/** Plans are read for what metrics tell of repositories, and for nothing else: a run brings with it what it needs. */
async function watchRepositoriesOfPlans(metrics: Metrics, host: string, signal: AbortSignal): Promise<void> {
  if (process.env.LIFEBOAT_PLANS) void watchRepositories(await knownPlans(log), host, { metrics, signal, logger: log });
  else log.warn('LIFEBOAT_PLANS is not set: the metrics of this host tell nothing of recovery window and archive');
}

/** All at once: who sets one variable should not have to start it again to hear of the next. */
function problemsOfEnvironment(): string[] {
  const unknown = process.argv.slice(2).filter((word) => word !== '--read-only');
  return [
    ...(process.env.LIFEBOAT_HOST ? [] : ['LIFEBOAT_HOST is not set: the name of this host in the plan, such as db1']),
    ...(process.env.LIFEBOAT_PERMIT ? [] : ['LIFEBOAT_PERMIT is not set: the path of the permit file']),
    ...(unknown.length === 0 ? [] : [`"${unknown.join(' ')}" is not understood, only --read-only is`]),
    ...(existsSync('/proc/self/status') ? [] : ['/proc is not here: a host worker runs on Linux']),
  ];
}
