/** The bench's own worker: it runs the bench's workflows, in the bench's own process. */
import { join } from 'node:path';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import { packageRoot } from '../lab/home.ts';
import { benchQueue } from './workflows/queue.ts';

/** Gives `use` a worker that polls, and ends it afterwards. */
export async function withWorker<T>(address: string, activities: object, use: () => Promise<T>): Promise<T> {
  quietRuntime();
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

/** Before the SDK is first used, and again once its last worker has ended: it is not to say much, and the bench ends its workers itself. */
export function quietRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('WARN'),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} },
    },
    shutdownSignals: [],
  });
}
