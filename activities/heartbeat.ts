import { Context } from '@temporalio/activity';

/** A dead worker must be noticed within seconds: heartbeats go out this often, milliseconds. */
const beatEveryMs = 1_000;

/** What an activity waits for just now: every heartbeat says it, whatever else it says. */
const waiting = new WeakMap<Context, string>();

export function nowWaiting(words: string | undefined): void {
  if (words === undefined) waiting.delete(Context.current());
  else waiting.set(Context.current(), words);
}

function beat(details: unknown): void {
  const context = Context.current();
  const words = waiting.get(context);
  const said = typeof details === 'object' && details !== null ? details : {};
  context.heartbeat(words === undefined ? details : { ...said, waiting: words });
}

/** Heartbeats until `work` is over. `details` is what people see of it meanwhile. */
export async function beating<T>(details: () => unknown, work: () => Promise<T>): Promise<T> {
  beat(details());
  const timer = setInterval(() => beat(details()), beatEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** Heartbeats, then waits; throws when the activity is cancelled. */
export async function pause(ms: number, details?: unknown): Promise<void> {
  if (details !== undefined) beat(details);
  await Context.current().sleep(ms);
}
