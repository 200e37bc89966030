/** The bench's own worker: it runs the bench's workflows, in the bench's own process. */
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { packageRoot } from '../lab/home.ts';
import { benchQueue } from './workflows/queue.ts';

/** Gives `use` a worker that polls, and ends it afterwards. */
export async function withWorker<T>(address: string, activities: object, use: () => Promise<T>): Promise<T> {
  Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address });
  try {
    const worker = await Worker.create({
      connection,
      taskQueue: benchQueue,
      activities,
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: join(packageRoot, 'dist', 'bench', 'workflows', 'index.js'),
        logger: new DefaultLogger('WARN'),
      }),
    });
    return await worker.runUntil(use);
  } finally {
    await connection.close();
  }
}
