/**
 * Loaded into a control worker before its own code (`node --import`): gives it the bench's workflows besides its own, and notes how many it
 * keeps in its cache. Everything else is as the worker sets it itself.
 *
 * Environment: LAB_BENCH_BUNDLE (workflows), LAB_BENCH_SETTINGS (the note, a file).
 */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { WorkerOptions } from '@temporalio/worker';
import { required } from '../lab/environment.ts';

// Threads that a worker starts for its workflows inherit what Node was started with.
if (isMainThread) {
  const { Worker } = await import('@temporalio/worker');
  const create = Worker.create.bind(Worker);
  Worker.create = async (options: WorkerOptions) => {
    const worker = await create({ ...options, workflowBundle: { codePath: required('LAB_BENCH_BUNDLE') } });
    const { maxCachedWorkflows } = worker.options;
    writeFileSync(required('LAB_BENCH_SETTINGS'), JSON.stringify({ maxCachedWorkflows }));
    return worker;
  };
}
