import { describe, expect, test } from 'vitest';
import { type Counted, judge, type Limits, type Probe } from '../../../recovery/soak.ts';

const all: Limits = { share: 100, errorsPercent: 2, latencyMs: 500 };
const some: Limits = { ...all, share: 5 };

const probes = (number: number, more: Partial<Probe> = {}): Probe[] =>
  Array.from({ length: number }, () => ({ at: 0, healthy: true, tookMs: 20, ...more }));
const ill = (number: number) => probes(number, { healthy: false, saw: 'status 500, expected 200' });
const silent = (number: number) => probes(number, { healthy: false, silent: 'no answer: it refuses connections' });
const counted = (answers: number, failed: number): Counted[] => [{ at: 0, answers, failed }];

test('what is served well has nothing against it, and says how well', () => {
  expect(judge(probes(200), counted(200, 0), all)).toEqual({
    ...{ probes: 200, healthy: 200, due: 200, p95Ms: 20, answers: 200, failed: 0, against: [] },
  });
});

test('nothing that was asked is nothing against it either', () => {
  expect(judge([], [], all)).toMatchObject({ against: [], due: 0 });
});

describe('errors', () => {
  test('that the load balancer counts stand against it above the limit, and not at it', () => {
    expect(judge(probes(200), counted(100, 2), all).against).toEqual([]);
    expect(judge(probes(200), counted(100, 3), all).against).toEqual([
      'the load balancer counts 3 of 100 answers as failed (3 %)',
    ]);
  });

  test('that were asked for from outside stand against it when all visitors come there', () => {
    expect(judge([...probes(97), ...ill(3)], [], all).against).toEqual([
      '3 of 100 probes have failed (3 %), the last one with: status 500, expected 200',
    ]);
    expect(judge([...probes(99), ...ill(1)], [], all).against).toEqual([]);
  });

  test('a single one is never enough, however few were asked', () => {
    expect(judge([...probes(3), ...ill(1)], counted(4, 1), all).against).toEqual([]);
    expect(judge([...probes(2), ...ill(2)], [], all).against).toHaveLength(1);
  });

  test('a health that flaps below the limit does not stop it, one above does', () => {
    const flapping = (every: number) =>
      Array.from({ length: 300 }, (_, at) => (at % every === 0 ? ill(1) : probes(1))).flat();
    expect(judge(flapping(100), [], all).against).toEqual([]);
    expect(judge(flapping(10), [], all).against).toHaveLength(1);
  });

  test('in the middle, only what is hardly chance stands against it', () => {
    expect(judge([...probes(20), ...ill(3)], [], all).against).toHaveLength(1);
    expect(judge([...probes(20), ...ill(3)], [], all, 'sure').against).toEqual([]);
    expect(judge(ill(10), [], all, 'sure').against).toHaveLength(1);
  });
});

describe('beside a share', () => {
  test('answers of the server of last resort are no errors', () => {
    expect(judge([...probes(10), ...ill(190)], counted(10, 0), some).against).toEqual([]);
  });

  test('that there is no answer at all is one', () => {
    expect(judge([...probes(10), ...ill(180), ...silent(2)], [], some).against).toEqual([
      '2 of 12 probes have failed (16.7 %), the last one with: no answer: it refuses connections',
    ]);
  });

  test('where hardly anybody gets a healthy answer, whoever gave the others', () => {
    expect(judge(ill(200), counted(10, 0), some).against).toEqual([
      '0 probes have had a healthy answer, and about 10 should have',
    ]);
    expect(judge([...probes(2), ...ill(198)], [], some).against).toEqual([]);
    const more = { ...some, share: 25 };
    expect(judge([...probes(10), ...ill(190)], [], more).against).toHaveLength(1);
    expect(judge([...probes(35), ...ill(165)], [], more).against).toEqual([]);
    // At the beginning nobody may have come there yet.
    expect(judge(ill(200), [], some, 'sure').against).toEqual([]);
    expect(judge(ill(20), [], some).against).toEqual([]);
  });
});

test('more than one in twenty that is slow stands against it, a single one does not', () => {
  const slow = (number: number) => probes(number, { tookMs: 900 });
  expect(judge([...probes(90), ...slow(10)], [], all)).toMatchObject({
    p95Ms: 900,
    against: ['10 of 100 healthy answers took longer than 500 ms (10 %)'],
  });
  expect(judge([...probes(96), ...slow(4)], [], all)).toMatchObject({ p95Ms: 20, against: [] });
  expect(judge([...probes(4), ...slow(1)], [], all).against).toEqual([]);
});
