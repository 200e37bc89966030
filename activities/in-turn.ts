/**
 * One execution of a run at a time in a directory. After a reset the run goes on as a new execution, while an activity of the discarded one
 * may still be at work for the seconds until it hears of it: a removal that goes on beside a restore would take files from under it.
 */
import { resolve } from 'node:path';
import { CancelledFailure, Context } from '@temporalio/activity';
import { failure } from './failure.ts';
import { pause } from './heartbeat.ts';
import type { Scratch } from './shapes.ts';

interface AtWork {
  execution: string;
  /** Activities of one execution may go side by side. */
  activities: number;
}

/** By directory, in this worker. */
const atWork = new Map<string, AtWork>();

/** An activity hears of its end with its next heartbeat; what then does not end hangs. */
const mostMs = 600_000;

export function inTurn<Ask extends { scratch: Scratch }, Answer>(
  activity: (ask: Ask) => Promise<Answer>,
): (ask: Ask) => Promise<Answer> {
  return async (ask) => {
    // What was sent may be anything; whether it is a path is for the permit to say.
    const directory = resolve(String(ask.scratch.directory));
    const mine = await enter(directory, Context.current().info.workflowExecution?.runId ?? '');
    try {
      return await activity(ask);
    } finally {
      mine.activities -= 1;
      if (mine.activities === 0) atWork.delete(directory);
    }
  };
}

async function enter(directory: string, execution: string): Promise<AtWork> {
  const deadline = Date.now() + mostMs;
  for (;;) {
    const there = atWork.get(directory) ?? { execution, activities: 0 };
    if (there.execution === execution) {
      there.activities += 1;
      atWork.set(directory, there);
      return there;
    }
    if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled while it waited');
    if (Date.now() > deadline)
      throw failure(
        'HostSilent',
        `execution ${there.execution}, which was given up, is still at work in ${directory} after ${mostMs / 60_000} min. See whether the disk answers; restart lifeboat-host there.`,
      );
    await pause(100, { waitingFor: there.execution });
  }
}
