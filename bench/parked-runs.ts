/** (h) Many runs of as many services that wait for people on one control worker: its memory, and how it answers then. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import pMap from 'p-map';
import { parseDocument } from 'yaml';
import { formatNumberOf } from '../evidence/format.ts';
import { rowOf } from './findings.ts';
import { memoryOf } from './memory-of.ts';
import { type ControlWorker, type PeopleGround, withControl } from './people-ground.ts';
import { approve, question, startAsking } from './questions.ts';
import type { Findings } from './result.ts';
import { median, p99 } from './statistics.ts';

const usually = 500;
const clicksEachRound = 34;
/** Clicks of one run; whoever is answered asks again, so that as many are parked afterwards. */
const questions = 3;
const startedAtOnce = 20;
/** Their number is to be felt by the worker, not how often they are looked at. */
const parkingLooksEveryMs = 500;
/** What is left of the starts is collected meanwhile. */
const settleMs = 10_000;
const looks = 20;

interface Seen {
  /** Runs that wait, each of a service of its own. */
  parked: number;
  /** Resident memory of the worker while one run waits, and while all of them do. */
  one: number;
  all: number;
  cached: number;
  /** Round trips while one run waits, and while all of them do. */
  alone: number[];
  crowded: number[];
}

export async function parkedRuns(ground: PeopleGround, rounds: number, scale: number): Promise<Findings> {
  const parked = Math.max(3, Math.round(usually * scale));
  const clicks = rounds * Math.max(4, Math.round(clicksEachRound * Math.min(1, scale)));
  const services = Array.from({ length: parked }, (_none, index) => `service-${String(index + 1).padStart(4, '0')}`);
  return withControl(ground, await writePlans(ground, services), async (control) => {
    const alone = await clicksAlone(ground, services, clicks);
    const [first = '', ...others] = services;
    const handle = await parkedRun(ground, first);
    const one = await residentNow(control);
    ground.say(`(h) ${formatNumberOf(others.length, 'more run')} of as many services, until all wait for people`);
    const park = (service: string) => parkedRun(ground, service);
    // All are waited for, whatever becomes of one: a call that is under way when the connection is closed ends the process.
    const started = await pMap(others, park, { concurrency: startedAtOnce, stopOnError: false });
    const handles = [handle, ...started];
    const all = await residentNow(control);
    const cached = await cachedRuns(ground);
    const crowded = await clicksAmong(ground, handles, clicks);
    return findings({ parked, one, all, cached, alone, crowded }, control);
  });
}

function findings({ parked, one, all, cached, alone, crowded }: Seen, { maxCachedWorkflows }: ControlWorker): Findings {
  const many = `${formatNumberOf(parked, 'run')} of ${formatNumberOf(parked, 'service')} parked`;
  return {
    rows: [
      rowOf('h', 'memory of control, one run parked', 'bytes', [one]),
      rowOf('h', `memory of control, ${many}`, 'bytes', [all]),
      rowOf('h', 'memory of control for each parked run', 'bytes', [(all - one) / (parked - 1)]),
      rowOf('h', `runs in the cache of control, ${many}`, 'runs', [cached]),
      rowOf('h', 'runs that control keeps in its cache at most', 'runs', [maxCachedWorkflows]),
      rowOf('h', 'approval round trip, one run parked', 'ms', alone),
      rowOf('h', 'approval round trip, one run parked: 99 of 100 took at most', 'ms', [p99(alone)]),
      rowOf('h', `approval round trip, ${many}`, 'ms', crowded),
      rowOf('h', `approval round trip, ${many}: 99 of 100 took at most`, 'ms', [p99(crowded)]),
      rowOf('h', `approval round trip, ${parked} parked / one`, 'ratio', [median(crowded) / median(alone)]),
    ],
    goals: [],
  };
}

/** The estate's plan, once for each service. @returns their folder */
async function writePlans({ estate, folder }: PeopleGround, services: readonly string[]): Promise<string> {
  const plans = join(folder, 'plans');
  await mkdir(plans);
  const plan = parseDocument(await readFile(estate.planFile, 'utf8'));
  for (const service of services) {
    plan.set('service', service);
    await writeFile(join(plans, `${service}.yaml`), plan.toString({ lineWidth: 0 }));
  }
  return plans;
}

async function parkedRun(ground: PeopleGround, service: string): Promise<WorkflowHandle> {
  ground.signal.throwIfAborted();
  const handle = await startAsking(ground, { service, questions });
  await question(handle, ground.signal, { number: 1, everyMs: parkingLooksEveryMs });
  return handle;
}

/** One run after the other, each of another service and alone while it waits. */
async function clicksAlone(ground: PeopleGround, services: readonly string[], count: number): Promise<number[]> {
  ground.say(`(h) ${formatNumberOf(count, 'approval')} while only one run waits`);
  const took: number[] = [];
  for (let run = 0; took.length < count; run += 1) {
    const service = services[run % services.length] ?? '';
    const handle = await startAsking(ground, { service, questions });
    for (let number = 1; number <= questions; number += 1)
      took.push((await approve(ground, handle, await question(handle, ground.signal, { number }))).roundTripMs);
    await handle.result();
  }
  return took.slice(0, count);
}

/** Each of another run as long as there are some, all over the cache; all of them go on to be parked. */
async function clicksAmong(ground: PeopleGround, handles: readonly WorkflowHandle[], count: number): Promise<number[]> {
  ground.say(`(h) ${formatNumberOf(count, 'approval')} while ${formatNumberOf(handles.length, 'run')} wait`);
  const took: number[] = [];
  const clicks = Math.min(count, handles.length * (questions - 1));
  const stride = Math.max(1, Math.floor(handles.length / clicks));
  for (let click = 0; click < clicks; click += 1) {
    const place = click * stride;
    const handle = handles[place % handles.length];
    const number = 1 + Math.floor(place / handles.length);
    if (handle === undefined) break;
    took.push((await approve(ground, handle, await question(handle, ground.signal, { number }))).roundTripMs);
  }
  return took;
}

/** The median of some looks: the garbage collector comes and goes. */
async function residentNow({ process }: ControlWorker): Promise<number> {
  const { pid } = process;
  if (pid === undefined) throw new Error('the control worker has ended: there is nothing to measure');
  const seen: number[] = [];
  for (let look = 0; look < looks; look += 1) {
    await pause(settleMs / looks);
    seen.push(await memoryOf(pid, 'VmRSS'));
  }
  return median(seen);
}

/** As the worker's own metrics say. */
async function cachedRuns({ estate }: PeopleGround): Promise<number> {
  const text = await (await fetch(estate.metricsUrls.control)).text();
  const sizes = [...text.matchAll(/^temporal_sticky_cache_size(?:\{[^}]*\})? (\S+)$/gm)].map(([, size]) =>
    Number(size),
  );
  if (sizes.length === 0) throw new Error('the metrics of the control worker do not tell the size of its cache');
  return sizes.reduce((sum, size) => sum + size, 0);
}
