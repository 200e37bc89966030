import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inIntervals, type Question, tally } from '../../../activities/pulse/compare.ts';
import type { Acknowledged, Entry } from '../../../activities/pulse/log.ts';
import type { Interval } from '../../../recovery/archive.ts';
import { microseconds } from '../../../recovery/moment.ts';

const second = (n: number) => new Date(Date.UTC(2026, 10, 21, 14, 0, n)).toISOString().replace('Z', '123Z');
const lsn = (n: number) => `0/${(0x1000 + n * 0x100).toString(16).toUpperCase()}`;
const pulse = (number: number, more: Partial<Acknowledged> = {}): Acknowledged => ({
  number,
  at: second(number),
  lsn: lsn(number),
  timeline: 1,
  ...more,
});
const failed = (n: number): Entry => ({ failed: true, at: second(n), clock: 'own', error: 'refused' });

async function* given(entries: Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

const ten = Array.from({ length: 10 }, (_, index) => pulse(index + 1));
const ask = (more: Partial<Question> = {}): Question => ({
  restored: [[1, 10]],
  upTo: lsn(7),
  since: second(1),
  momentAt: second(9),
  ...more,
});

describe('the tally of pulses', () => {
  test('all that were acknowledged up to the end of recovery must have come back, the later ones are the loss', async () => {
    expect(await tally(given(ten), ask({ restored: [[1, 7]] }))).toMatchObject({
      acknowledged: 7,
      missing: [],
      lost: 2,
      newest: { number: 7 },
    });
  });

  test('a hole before the end is missing, not lost', async () => {
    const sum = await tally(
      given(ten),
      ask({
        restored: [
          [1, 3],
          [5, 7],
        ],
      }),
    );
    expect(sum).toMatchObject({ acknowledged: 7, missing: [4], lost: 2 });
  });

  test('what came back past the end of recovery is neither missing nor lost', async () => {
    expect(await tally(given(ten), ask({ restored: [[1, 10]] }))).toMatchObject({ missing: [], lost: 0 });
  });

  test('a pulse after the moment is no loss', async () => {
    expect(await tally(given(ten), ask({ restored: [[1, 7]], momentAt: second(8) }))).toMatchObject({ lost: 1 });
  });

  test('failed attempts are counted, and never expected', async () => {
    const sum = await tally(given([...ten, failed(8), { ...failed(8), number: 11, unknown: true }] as Entry[]), ask());
    expect(sum).toMatchObject({ acknowledged: 7, missing: [], failed: 2 });
  });

  test('an acknowledged pulse whose place is not known cannot be missing, but can be lost', async () => {
    const { lsn: _, ...placeless } = pulse(3);
    const without = ten.map((one) => (one.number === 3 ? placeless : one));
    expect(
      await tally(
        given(without),
        ask({
          restored: [
            [1, 2],
            [4, 7],
          ],
        }),
      ),
    ).toMatchObject({
      acknowledged: 6,
      missing: [],
      lost: 3,
    });
  });

  test('rows that were deleted on purpose are not missing', async () => {
    const entries: Entry[] = [...ten, { forgotten: second(3) }];
    expect(await tally(given(entries), ask({ restored: [[3, 10]] }))).toMatchObject({ acknowledged: 5, missing: [] });
  });

  test('pulses older than the backup are not asked for', async () => {
    expect(await tally(given(ten), ask({ since: second(5), restored: [[5, 7]] }))).toMatchObject({
      acknowledged: 3,
      missing: [],
    });
  });

  test("an earlier failover's loss is not this recovery's fault", async () => {
    const old = ten.slice(0, 4);
    const dead = [pulse(5), pulse(6)];
    const next = [7, 8].map((n) => pulse(n, { timeline: 2, lsn: lsn(n - 2) }));
    const question = ask({
      upTo: lsn(9),
      restored: [
        [1, 4],
        [7, 8],
      ],
      timeline: 2,
      ancestors: [{ timeline: 1, forkLsn: lsn(4) }],
    });
    expect(await tally(given([...old, ...dead, ...next]), question)).toMatchObject({ acknowledged: 6, missing: [] });
  });

  test('the newest is the one with the latest time, wherever it stands in the log', async () => {
    expect(await tally(given([...ten].reverse()), ask({ restored: [[1, 5]] }))).toMatchObject({
      newest: { number: 5 },
    });
  });

  test('each pulse of a sound log is in one place only: back, missing or lost', async () => {
    const interval = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(9)).map(([a, n]): Interval => [a, a + n]);
    await fc.assert(
      fc.asyncProperty(fc.array(interval), fc.integer({ min: 1, max: 60 }), async (restored, end) => {
        const pulses = Array.from({ length: 59 }, (_, index) => pulse(index + 1));
        const sum = await tally(given(pulses), ask({ restored, upTo: lsn(end), momentAt: second(60) }));
        const isBack = (number: number) => restored.some(([first, last]) => first <= number && number <= last);
        const expected = pulses.filter(({ number }) => number <= end);
        expect(sum.acknowledged).toBe(expected.length);
        expect(sum.missing).toEqual(expected.map(({ number }) => number).filter((number) => !isBack(number)));
        expect(sum.lost).toBe(pulses.filter(({ number }) => number > end && !isBack(number)).length);
      }),
    );
  });
});

test('a number is found in overlapping and unsorted intervals just as by looking at each', () => {
  const any = fc.array(fc.tuple(fc.nat(90), fc.nat(12)).map(([first, length]): Interval => [first, first + length]));
  fc.assert(
    fc.property(any, fc.nat(100), (intervals, number) => {
      expect(inIntervals(intervals)(number)).toBe(intervals.some(([first, last]) => first <= number && number <= last));
    }),
  );
});

describe('times', () => {
  test('with and without fractions and with offsets are told apart to the microsecond', () => {
    expect(microseconds('2026-11-21T14:00:00Z')).toBeLessThan(microseconds('2026-11-21T14:00:00.000001Z'));
    expect(microseconds('2026-11-21T14:00:00.5Z')).toBe(microseconds('2026-11-21T15:00:00.500000+01:00'));
  });

  test('without an offset are refused', () => {
    expect(() => microseconds('2026-11-21T14:00:00')).toThrow(RangeError);
  });
});

describe('a clock that is set while pulses are written', () => {
  const moment = { momentAt: second(9), momentLsn: lsn(9) };

  test('does not change which were lost: that goes by positions', async () => {
    const forward = ten.map((one) => (one.number > 8 ? { ...one, at: second(one.number + 3600) } : one));
    expect(await tally(given(forward), ask({ restored: [[1, 7]], ...moment, momentAt: second(3609) }))).toMatchObject({
      lost: 2,
      newest: { number: 7 },
    });
  });

  test('back, is seen and told: the times on both sides of it say nothing of the loss', async () => {
    const back = ten.map((one) => (one.number > 8 ? { ...one, at: second(one.number - 3600) } : one));
    const sum = await tally(
      given(back),
      ask({ restored: [[1, 7]], since: second(-7200), ...moment, momentAt: second(-3591) }),
    );
    expect(sum).toMatchObject({ lost: 2, newest: { number: 7 }, setBackMs: 3_599_000 });
    const inTime = await tally(given(ten), ask({ restored: [[1, 7]], ...moment }));
    expect(inTime.setBackMs).toBeUndefined();
  });

  test('back, before the newest that came back, does not matter any more', async () => {
    const early = ten.map((one) => (one.number > 4 ? { ...one, at: second(one.number - 3600) } : one));
    const sum = await tally(
      given(early),
      ask({ restored: [[1, 7]], since: second(-7200), ...moment, momentAt: second(-3591) }),
    );
    expect(sum.setBackMs).toBeUndefined();
  });
});
