/** Long work of a tool that has a patience of its own, and no words while it waits. */
import { beating } from './heartbeat.ts';
import { isOutage, isRefusal, type Outage } from './outage.ts';

export interface Watched {
  /** Changes while the work makes progress. */
  marker(): Promise<unknown>;
  /** Asks the store whether it answers. */
  probe(stop: AbortSignal): Promise<unknown>;
  /** Milliseconds without progress before it is asked. */
  everyMs?: number;
}

/**
 * A tool that tries again by itself for minutes says nothing meanwhile: when it stands still, its store is asked whether it answers.
 *
 * @param work gets a signal that is aborted once the outage has lasted too long, or the store refuses
 */
export async function underWatch<T>(
  outage: Outage,
  watched: Watched,
  work: (hopeless: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const hopeless = new AbortController();
  const watching = watch(outage, watched, ended.signal, hopeless).catch(() => undefined);
  try {
    const result = await work(hopeless.signal);
    if (hopeless.signal.aborted) throw hopeless.signal.reason;
    return result;
  } finally {
    ended.abort();
    // A question that is being asked is ended first, which may take it some seconds.
    await beating(
      () => undefined,
      () => watching,
    );
  }
}

async function watch(
  outage: Outage,
  { marker, probe, everyMs = 5_000 }: Watched,
  ended: AbortSignal,
  hopeless: AbortController,
): Promise<void> {
  let before = await marker();
  for (;;) {
    await rest(everyMs, ended);
    if (ended.aborted) return;
    const now = await marker();
    const moved = now !== before;
    before = now;
    const error = moved
      ? undefined
      : await probe(ended).then(
          () => undefined,
          (why: unknown) => why,
        );
    if (ended.aborted) return;
    // What no waiting can mend, the tool would still try for minutes.
    if (isRefusal(error)) return hopeless.abort(error);
    if (!isOutage(error)) await outage.over();
    else {
      await outage.began(error.message);
      if (outage.isTooLong) return hopeless.abort(outage.tooLong(error.message));
    }
  }
}

function rest(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      ended.removeEventListener('abort', done);
      resolve();
    }
    ended.addEventListener('abort', done);
  });
}
