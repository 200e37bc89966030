import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../activities/failure.ts';
import { waitingOut } from '../../../activities/outage.ts';
import { underWatch } from '../../../activities/under-watch.ts';

const away = () => failure('ArchiveUnreachable', 'the backup repository does not answer: connection refused.');

/** Runs an activity whose attempts before this one took `spentMs`. */
function activity(spentMs = 0) {
  const info = { scheduledTimestampMs: 1_000_000, currentAttemptScheduledTimestampMs: 1_000_000 + spentMs };
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
  const heartbeats: unknown[] = [];
  environment.on('heartbeat', (beat: unknown) => heartbeats.push(beat));
  const run = <T>(body: () => Promise<T>): Promise<T> => environment.run(body) as Promise<T>;
  return { run, heartbeats };
}

/** Fails so many times, and then yields. */
function failing(times: number, error: () => Error): { tries: () => number; attempt: () => Promise<string> } {
  let tries = 0;
  return {
    tries: () => tries,
    attempt: async () => {
      tries += 1;
      if (tries <= times) throw error();
      return 'here it is';
    },
  };
}

describe('an outage', () => {
  it('that passes is waited for, and each heartbeat says so meanwhile', async () => {
    const { run, heartbeats } = activity();
    const { attempt, tries } = failing(2, away);
    expect(await run(() => waitingOut('ArchiveUnreachable', { outageWithinMs: 60_000 }, attempt))).toBe('here it is');
    expect(tries()).toBe(3);
    expect(JSON.stringify(heartbeats)).toMatch(/the backup repository is away .*waiting .* more: .*connection refused/);
  });

  it('that lasts ends as what it is, for good, and says how long it was waited for', async () => {
    const { attempt } = failing(1_000, away);
    await expect(
      activity().run(() => waitingOut('ArchiveUnreachable', { outageWithinMs: 1_500 }, attempt)),
    ).rejects.toMatchObject({
      type: 'ArchiveUnreachable',
      nonRetryable: true,
      message: expect.stringMatching(
        /connection refused.*It was waited for.*until the time that the plan gives this phase/,
      ),
    });
  });

  it('has used up its time when earlier attempts have waited for it, but for a last moment', async () => {
    const { attempt, tries } = failing(1_000, away);
    const began = performance.now();
    await expect(
      activity(3_600_000).run(() => waitingOut('StoreUnreachable', { outageWithinMs: 2_000 }, attempt)),
    ).rejects.toMatchObject({ nonRetryable: true });
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(tries()).toBeGreaterThan(1);
  });

  it('is said at once where nobody wants to wait, so that the engine may try again', async () => {
    const { attempt, tries } = failing(1_000, away);
    await expect(activity().run(() => waitingOut('ArchiveUnreachable', {}, attempt))).rejects.toMatchObject({
      nonRetryable: false,
    });
    expect(tries()).toBe(1);
  });

  it('is not what wrong content is called: that ends the step at once', async () => {
    const { attempt, tries } = failing(1_000, () => failure('BackupCorrupt', 'damaged'));
    await expect(
      activity().run(() => waitingOut('ArchiveUnreachable', { outageWithinMs: 60_000 }, attempt)),
    ).rejects.toMatchObject({ type: 'BackupCorrupt' });
    expect(tries()).toBe(1);
  });
});

describe('work that stands still', () => {
  it('is ended once its store has been away for too long, and the failure is the outage', async () => {
    let ended = false;
    await expect(
      activity().run(() =>
        waitingOut('ArchiveUnreachable', { outageWithinMs: 1_000 }, (outage) =>
          underWatch(
            outage,
            { marker: async () => 'the same', probe: () => Promise.reject(away()), everyMs: 50 },
            (stop) =>
              new Promise<void>((resolve) => {
                stop.addEventListener('abort', () => {
                  ended = true;
                  resolve();
                });
              }),
          ),
        ),
      ),
    ).rejects.toMatchObject({ type: 'ArchiveUnreachable', nonRetryable: true });
    expect(ended).toBe(true);
  });

  it('is left alone while its store answers, and while it moves', async () => {
    let looks = 0;
    const { run, heartbeats } = activity();
    const watched = {
      marker: async () => {
        looks += 1;
        return Math.min(looks, 6);
      },
      probe: async () => undefined,
      everyMs: 20,
    };
    const result = await run(() =>
      waitingOut('ArchiveUnreachable', { outageWithinMs: 100 }, (outage) =>
        underWatch(outage, watched, async (stop) => {
          await expect.poll(() => looks).toBeGreaterThan(10);
          return stop.aborted;
        }),
      ),
    );
    expect(result).toBe(false);
    expect(JSON.stringify(heartbeats)).not.toContain('waiting');
  });
});
