/**
 * One activity at a time in a directory. Temporal starts an attempt anew when the former one went silent, and after a reset; the former may
 * still be at work for the seconds until it hears of it. A removal that goes on beside a restore would take files from under it.
 */
import { resolve } from 'node:path';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { Scratch } from './contract.ts';
import { failure } from './failure.ts';
import { pause } from './heartbeat.ts';

/** Which activity is at work in which directory, in this worker. */
const atWork = new Map<string, string>();

/** A former attempt hears of its end with its next heartbeat; what then does not end hangs. */
const mostMs = 600_000;

export function inTurn<Ask extends { scratch: Scratch }, Answer>(
  activity: (ask: Ask) => Promise<Answer>,
): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    const directory = resolve(ask.scratch.directory);
    await waitFor(directory);
    atWork.set(directory, Context.current().info.activityType);
    try {
      return await activity(ask);
    } finally {
      atWork.delete(directory);
    }
  };
}

async function waitFor(directory: string): Promise<void> {
  const deadline = Date.now() + mostMs;
  for (let former = atWork.get(directory); former !== undefined; former = atWork.get(directory)) {
    if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled while it waited');
    if (Date.now() > deadline)
      throw failure(
        'HostSilent',
        `${former} of a former attempt is still at work in ${directory}, ${mostMs / 60_000} min after it was given up. See whether the disk answers; restart lifeboat-host there.`,
      );
    await pause(100, { waitingFor: former });
  }
}
