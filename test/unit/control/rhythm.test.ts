import { expect, test } from 'vitest';
import { rhythm } from '../../../workers/pulse/rhythm.ts';

/** Runs beats that take these times, milliseconds, and says when each began. */
async function beginnings(durations: number[]): Promise<number[]> {
  const stop = new AbortController();
  const began: number[] = [];
  let now = 5_000.25;
  const clock = {
    now: () => now,
    pause: async (ms: number) => {
      now += ms;
    },
  };
  const beat = async () => {
    began.push(now - 5_000.25);
    now += durations[began.length - 1] ?? 0;
    if (began.length === durations.length) stop.abort();
  };
  await rhythm(1_000, stop.signal, beat, clock);
  return began;
}

test('beats of any length below a second begin on the second, without drift', async () => {
  expect(await beginnings([3, 250, 999, 0, 40])).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
});

test('a slow beat lets those fall out that it would have overlapped, and the rest stay in step', async () => {
  expect(await beginnings([3_400, 10, 1_000, 5])).toEqual([0, 4_000, 5_000, 7_000]);
});
