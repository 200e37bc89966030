import { setTimeout as pause } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { oneAttemptAtATime } from '../../../workers/one-attempt.ts';

/** Runs attempts as a worker does, all through one interceptor. */
function worker(work: () => Promise<unknown>) {
  const factory = oneAttemptAtATime();
  return (attempt: number, activityId = 'database/restore') => {
    const environment = new MockActivityEnvironment({ attempt, activityId });
    return environment.run(() => {
      const inbound: ActivityInboundCallsInterceptor | undefined = factory(Context.current()).inbound;
      if (inbound?.execute === undefined) throw new Error('the interceptor takes no activities');
      return inbound.execute({ args: [], headers: {} }, work);
    });
  };
}

test('the next attempt of an activity begins when the one before is over, however that ended', async () => {
  const ends: ((error?: Error) => void)[] = [];
  const attempt = worker(
    () =>
      new Promise((resolve, reject) => ends.push((error) => (error === undefined ? resolve('done') : reject(error)))),
  );
  const first = attempt(1);
  const second = attempt(2);
  const third = attempt(3);
  await pause(50);
  expect(ends).toHaveLength(1);
  ends[0]?.(new Error('the engine has given it up'));
  await expect(first).rejects.toThrow('given it up');
  await pause(50);
  expect(ends).toHaveLength(2);
  ends[1]?.();
  expect(await second).toBe('done');
  await pause(50);
  ends[2]?.();
  expect(await third).toBe('done');
});

test('different activities do not wait for each other', async () => {
  let begun = 0;
  const attempt = worker(async () => {
    begun += 1;
    await pause(20);
  });
  await Promise.all([attempt(1, 'database/restore'), attempt(1, 'database/replay')]);
  expect(begun).toBe(2);
});
