/** Where people are asked: an estate with people and nobody at work but one control worker, which also knows the bench's questions. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { readPrivateKey } from '../activities/people/keys.ts';
import { type Estate, startEstate } from '../lab/estate.ts';
import { packageRoot } from '../lab/home.ts';
import { startControl } from '../lab/lifeboat.ts';
import { peopleFiles } from '../lab/people.ts';
import type { EstateProcess } from '../lab/process.ts';
import type { Asker } from './questions.ts';

export interface PeopleGround extends Asker {
  estate: Estate;
  /** Of the bench's own: the bundle, plans, what the worker has noted. */
  folder: string;
  say(line: string): void;
}

export interface PeopleGroundOptions {
  root: string;
  say(line: string): void;
  signal: AbortSignal;
}

/** Builds it, gives it to `use`, and takes it down again, whatever happens. */
export async function onPeopleGround<T>(
  { root, say, signal }: PeopleGroundOptions,
  use: (ground: PeopleGround) => Promise<T>,
): Promise<T> {
  say(`building an estate in which people are asked, below ${root}`);
  const estate = await startEstate({
    ...{ root, say, signal },
    ...{ lifeboat: false, shop: false, faults: false },
    // Who has started a run is known by a signature: one yes of somebody else is enough.
    people: { quorum: 1, deadline: '8h', warnBefore: '1h' },
  });
  try {
    const folder = join(root, 'bench');
    await mkdir(folder);
    await bundleQuestions(bundleIn(folder));
    const keys = peopleFiles(root);
    const people = { ana: await readPrivateKey(keys.key('ana')), ben: await readPrivateKey(keys.key('ben')) };
    const connection = await Connection.connect({ address: estate.temporal.address });
    try {
      return await use({ estate, folder, people, client: new Client({ connection }), say, signal });
    } finally {
      await connection.close();
    }
  } finally {
    say('ending every process of the estate, and removing its files');
    await estate.stop();
  }
}

const bundleIn = (folder: string): string => join(folder, 'workflows.js');

/** All that a control worker runs, and the bench's workflows that ask. */
export async function bundleQuestions(file: string): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(packageRoot, 'dist', 'bench', 'workflows', 'control.js'),
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(file, code);
}

export interface ControlWorker {
  process: EstateProcess;
  /** Runs that it keeps in its cache at most: the others are replayed when they go on. */
  maxCachedWorkflows: number;
}

/** A control worker as an estate has it, until `use` is over. @param plans what LIFEBOAT_PLANS names */
export async function withControl<T>(
  { estate, folder }: PeopleGround,
  plans: string,
  use: (control: ControlWorker) => Promise<T>,
): Promise<T> {
  const settings = join(folder, 'settings.json');
  const process = await startControl(estate.site, {
    env: { LIFEBOAT_PLANS: plans },
    preload: {
      file: estate.site.home.program('bench/control-preload.js'),
      env: { LAB_BENCH_BUNDLE: bundleIn(folder), LAB_BENCH_SETTINGS: settings },
    },
  });
  try {
    const { maxCachedWorkflows }: { maxCachedWorkflows: number } = JSON.parse(await readFile(settings, 'utf8'));
    return await use({ process, maxCachedWorkflows });
  } finally {
    await process.stop();
  }
}
