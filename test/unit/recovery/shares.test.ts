import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type SharedServer,
  setByOthers,
  shareInWords,
  shareOf,
  sharesBetween,
  weightsFor,
} from '../../../recovery/shares.ts';

const usual = { configured: 1, up: true, takenOut: false, backup: false, sessions: 0 };
const server = (name: string, weight: number, more: Partial<SharedServer> = {}): SharedServer => ({
  ...{ server: name, weight, ...usual },
  ...more,
});
const sides = { servers: ['app1', 'app2'], closed: 'sorry' };
const three = [server('app1', 1), server('app2', 1), server('sorry', 0)];

const setTo = (weights: Record<string, number>) =>
  Object.entries(weights).map(([name, weight]) => server(name, weight));

describe('weights for a share', () => {
  test('give it exactly where whole numbers can', () => {
    for (const share of [5, 25, 50, 75]) expect(shareOf(sides, setTo(weightsFor(sides, three, share)))).toBe(share);
  });

  test('give all with just what is configured, and none with nothing', () => {
    const own = [server('app1', 0, { configured: 30 }), server('app2', 0, { configured: 90 }), server('sorry', 100)];
    expect(weightsFor(sides, own, 100)).toEqual({ app1: 30, app2: 90, sorry: 0 });
    expect(weightsFor(sides, own, 0)).toEqual({ app1: 0, app2: 0, sorry: 100 });
  });

  test('keep how servers stand to each other', () => {
    const own = [server('app1', 0, { configured: 30 }), server('app2', 0, { configured: 90 })];
    const { app1 = 0, app2 = 0 } = weightsFor(sides, own, 25);
    expect(app2 / app1).toBeCloseTo(3, 0);
  });

  test('are equal where a server is configured closed', () => {
    const own = [server('app1', 0, { configured: 0 }), server('app2', 0, { configured: 90 })];
    expect(weightsFor(sides, own, 100)).toEqual({ app1: 1, app2: 1, sorry: 0 });
  });

  test('know nobody who gets what is left where the plan names nobody', () => {
    expect(weightsFor({ servers: ['app1'] }, three, 100)).toEqual({ app1: 1 });
  });

  test('are ones that HAProxy takes, within half a percent, whatever is configured', () => {
    const configured = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(configured, fc.integer({ min: 5, max: 99 }), (own, share) => {
        const servers = own.map((_, index) => `app${index}`);
        const found = own.map((weight, index) => server(`app${index}`, 0, { configured: weight }));
        const weights = weightsFor({ servers, closed: 'sorry' }, found, share);
        for (const weight of Object.values(weights)) expect(weight).toBeGreaterThan(0);
        for (const weight of Object.values(weights)) expect(weight).toBeLessThanOrEqual(256);
        expect(Math.abs(shareOf({ servers }, setTo(weights)) - share)).toBeLessThan(0.5);
      }),
    );
  });
});

test('a server that is down, taken out, or a backup is led nobody', () => {
  const found = (more: Partial<SharedServer>) => [server('app1', 10, more), server('app2', 10), server('sorry', 10)];
  expect(Math.round(shareOf(sides, found({})))).toBe(67);
  for (const more of [{ up: false }, { takenOut: true }, { backup: true }])
    expect(shareOf(sides, found(more))).toBe(50);
  expect(shareOf(sides, [server('app1', 0), server('sorry', 0)])).toBe(0);
});

test.each<[from: number, to: number, shares: number[]]>([
  [0, 100, [5, 25, 100]],
  [5.2, 100, [25, 100]],
  [24.8, 100, [100]],
  [0, 10, [5, 10]],
  [0, 25, [5, 25]],
  [100, 0, [0]],
  [100, 10, [10]],
  [99.8, 100, []],
  [0, 0, []],
])('from %d to %d the shares are %j', (from, to, shares) => {
  expect(sharesBetween([5, 25, 100], from, to)).toEqual(shares);
});

test('weights of others are those that are neither the old nor the new ones; of strangers nothing is said', () => {
  const found = [server('app1', 5), server('app2', 7), server('sorry', 95), server('constructor', 3)];
  expect(setByOthers(found, { app1: 0, app2: 0, sorry: 100 }, { app1: 5, app2: 5, sorry: 95 })).toEqual([found[1]]);
  expect(setByOthers(found, { app1: 5, app2: 7, sorry: 100 }, { app1: 0, app2: 0, sorry: 95 })).toEqual([]);
});

test('a share is told with one decimal at the most', () => {
  expect([5, 33.333, 100].map(shareInWords)).toEqual(['5 %', '33.3 %', '100 %']);
});
