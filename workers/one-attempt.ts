import { setTimeout as wait } from 'node:timers/promises';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** What an attempt that was given up needs to end its children; one that does not hear of it is waited for no longer. */
const endsWithinMs = 60_000;

/**
 * One attempt of an activity at a time. The engine gives an attempt up whose heartbeat came too late (it was down itself, or the machine
 * was busy) and starts the next, maybe on this worker, where the first is still at work: it hears of it with its next heartbeat.
 */
export function oneAttemptAtATime(): ActivityInterceptorsFactory {
  const underWay = new Map<string, Promise<unknown>>();
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const { workflowExecution, activityId } = context.info;
        const name = `${workflowExecution?.runId ?? ''}/${activityId}`;
        const before = underWay.get(name);
        const mine =
          before === undefined ? next(input) : over(before, () => context.heartbeat()).then(() => next(input));
        underWay.set(name, mine);
        try {
          return await mine;
        } finally {
          if (underWay.get(name) === mine) underWay.delete(name);
        }
      },
    },
  });
}

async function over(before: Promise<unknown>, beat: () => void): Promise<void> {
  const enough = new AbortController();
  const timer = setInterval(beat, 1_000);
  beat();
  try {
    await Promise.race([before, wait(endsWithinMs, undefined, { signal: enough.signal })]);
  } catch {
    // How it ended is of no account any more.
  } finally {
    enough.abort();
    clearInterval(timer);
  }
}
