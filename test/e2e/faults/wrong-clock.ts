import type { EstateProcess } from '../../../lab/process.ts';
import { partPath } from '../control/rig.ts';

/** Starts a process again with a clock that is so many minutes ahead, runs the body, and puts the clock right. */
export async function withClockAhead<T>(process: EstateProcess, minutes: number, body: () => Promise<T>): Promise<T> {
  process.dress({
    LD_PRELOAD: await partPath('libfaketime'),
    FAKETIME: `${minutes < 0 ? '-' : '+'}${Math.abs(minutes)}m`,
    // Timers go by the monotonic clock, which nobody sets.
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  });
  await process.restart();
  try {
    return await body();
  } finally {
    process.dress({ LD_PRELOAD: '', FAKETIME: '' });
    await process.restart();
  }
}
