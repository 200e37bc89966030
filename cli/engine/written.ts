import type { Client, WorkflowHandle } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { ask } from './ask.ts';
import { Silence, type Written } from './engine.ts';
import type { Reached } from './reach.ts';

const historyWithinMs = 10_000;

/** Id of the activity that writes the evidence, the same in every runbook. */
const writing = 'closing/write-the-evidence';

/** Where a run wrote its evidence, from its history: Temporal gives a cancelled run no result that could say so. */
export async function writtenBy(
  reached: Reached,
  client: Client,
  handle: WorkflowHandle,
): Promise<Written | undefined> {
  try {
    const { events } = await ask(reached, historyWithinMs, () => handle.fetchHistory());
    const scheduled = events?.find((one) => one.activityTaskScheduledEventAttributes?.activityId === writing)?.eventId;
    if (!scheduled) return undefined;
    const payloads = events
      ?.map((one) => one.activityTaskCompletedEventAttributes)
      .find((one) => String(one?.scheduledEventId) === String(scheduled))?.result?.payloads;
    if (!payloads) return undefined;
    return writtenIn((await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads))[0]);
  } catch (error) {
    // How the run ended is known already: that must not be lost over where its evidence lies.
    if (error instanceof Silence) return undefined;
    throw error;
  }
}

function writtenIn(result: unknown): Written | undefined {
  if (typeof result !== 'object' || result === null || !('location' in result) || !('sha256' in result))
    return undefined;
  const { location, sha256 } = result;
  return typeof location === 'string' && typeof sha256 === 'string' ? { evidence: location, sha256 } : undefined;
}
