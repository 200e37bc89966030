import { TestWorkflowEnvironment } from '@temporalio/testing';

const startsWithinMs = 120_000;

/**
 * Temporal's server that skips the time in which nothing is done. The SDK gives it five seconds to start, which a Java program on a busy
 * machine does not always keep: then it is begun again.
 *
 * @param path of its program
 */
export async function startSkippingServer(path: string): Promise<TestWorkflowEnvironment> {
  const deadline = Date.now() + startsWithinMs;
  for (;;) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path } },
      });
    } catch (error) {
      if (Date.now() > deadline || !String(error).includes('did not start within')) throw error;
    }
  }
}
