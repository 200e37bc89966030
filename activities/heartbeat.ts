import { Context } from '@temporalio/activity';

/** A dead worker must be noticed within seconds: heartbeats go out this often, milliseconds. */
const beatEveryMs = 1_000;

/** Heartbeats until `work` is over. `details` is what people see of it meanwhile. */
export async function beating<T>(details: () => unknown, work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = () => context.heartbeat(details());
  beat();
  const timer = setInterval(beat, beatEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Heartbeats, then waits; throws when the activity is cancelled. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  const context = Context.current();
  if (details !== undefined) context.heartbeat(details);
  await context.sleep(ms);
}
