#!/usr/bin/env node
/**
 * lifeboat-pulse: writes a row each second through the front door of every service whose plan has a pulse, and keeps a log of what was
 * acknowledged outside of the database. Never in a service's data path: when it dies, only the measurement stops.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { pino } from 'pino';
import type { Plan, PulseSettings } from '../plan/schema.ts';
import { knownPlans } from './known-plans.ts';
import { type Metrics, serveMetrics } from './metrics/metrics.ts';
import { listenFor } from './metrics/pulses.ts';
import { lockDirectory } from './pulse/directory-lock.ts';
import { LogWriter } from './pulse/log-writer.ts';
import { Pulse } from './pulse/pulse.ts';
import { rhythm } from './pulse/rhythm.ts';

const everyMs = 1_000;
const logger = pino({ name: 'lifeboat-pulse' });

interface Wanted {
  plan: Plan;
  settings: PulseSettings;
}

async function main(): Promise<void> {
  const served = await serveMetrics('pulse');
  const wanted = (await knownPlans(logger)).flatMap((plan): Wanted[] =>
    plan.pulse === undefined ? [] : [{ plan, settings: plan.pulse }],
  );
  if (wanted.length === 0) throw new Error('no plan asks for a pulse: add "pulse: { log: /directory }" to one');

  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

  const release = await lockAll([...new Set(wanted.map(({ settings }) => settings.log))]);
  try {
    await Promise.all(wanted.map((one) => run(one, stop.signal, { all: wanted.length, metrics: served?.metrics })));
  } finally {
    await release();
    await served?.close();
  }
  logger.info('stopped');
}

async function lockAll(directories: string[]): Promise<() => Promise<void>> {
  const held: (() => Promise<void>)[] = [];
  const release = async () => {
    await Promise.all(held.map((one) => one()));
  };
  try {
    for (const directory of directories) {
      await mkdir(directory, { recursive: true, mode: 0o750 });
      held.push(await lockDirectory(directory));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

const begun = new Set<string>();

async function run(
  { plan, settings }: Wanted,
  stop: AbortSignal,
  { all, metrics }: { all: number; metrics: Metrics | undefined },
): Promise<void> {
  const listener = metrics && listenFor(plan.service, metrics);
  const pulse = new Pulse(plan, settings, new LogWriter(settings.log, plan.service), logger, listener);
  await pulse.resume();
  try {
    await rhythm(everyMs, stop, async () => {
      await pulse.beat();
      if (begun.has(plan.service)) return;
      begun.add(plan.service);
      if (begun.size === all) await sayReady();
    });
  } finally {
    await pulse.close();
  }
}

/** Ready: every service was tried once, whatever came of it. */
async function sayReady(): Promise<void> {
  const file = process.env.LIFEBOAT_READY_FILE;
  if (file === undefined || file === '') return;
  await writeFile(file, JSON.stringify({ pid: process.pid, identity: `pulse@${hostname()}:${process.pid}` }));
}

main().catch((error: unknown) => {
  logger.fatal(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
