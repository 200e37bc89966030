/** Runs activities of the control worker, and keeps all that anybody could read of them. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { EntryChanges, EntryReads } from '../../../activities/contract.ts';
import { controlChanges, controlReads } from '../../../activities/control.ts';

export interface Works extends EntryReads, EntryChanges {
  /** Results, failures and heartbeats so far, as text. */
  said(): string;
  /** What the heartbeats said of what was waited for, each once. */
  waitedFor(): string[];
}

export function works(): Works {
  const said: unknown[] = [];
  const waited = new Set<string>();
  const watched =
    <Ask, Answer>(activity: (ask: Ask) => Promise<Answer>) =>
    async (ask: Ask): Promise<Answer> => {
      const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      environment.on('heartbeat', (details: { waiting?: string } | undefined) => {
        said.push(details);
        if (details?.waiting !== undefined) waited.add(details.waiting);
      });
      try {
        const answer = (await environment.run(activity, ask)) as Answer;
        said.push(answer);
        return answer;
      } catch (error) {
        said.push(error instanceof Error ? [error.message, error.stack, error.cause] : error);
        throw error;
      }
    };
  return {
    entryState: watched(controlReads.entryState),
    entryMovable: watched(controlReads.entryMovable),
    entrySeen: watched(controlReads.entrySeen),
    setEntryTtl: watched(controlChanges.setEntryTtl),
    restoreEntryTtl: watched(controlChanges.restoreEntryTtl),
    moveEntry: watched(controlChanges.moveEntry),
    said: () => JSON.stringify(said, (_, value) => (value instanceof Error ? `${value.stack}` : value)),
    waitedFor: () => [...waited],
  };
}
