import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Point } from '../../../scripts/kills/points.ts';
import { plan, type Victim } from '../../../scripts/kills/rotation.ts';

const point = (index: number, activity = 'restoreBeside'): Point => ({
  runbook: 'monthly-drill',
  step: `database/step-${index}`,
  id: `database/step-${index}`,
  activity,
  worker: 'db2',
});
const points = Array.from({ length: 30 }, (_none, index) =>
  point(index, index % 7 === 0 ? 'workflow' : 'restoreBeside'),
);
const pairOf = ({ victim, side }: { victim: Victim; side: string }) => `${victim} ${side}`;

describe('who is killed where', () => {
  test('every point gets one kill, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (seed) => {
        expect(plan(points, { seed }).map((one) => one.point)).toEqual(points);
      }),
    );
  });

  test('a seed draws the same walk again', () => {
    expect(plan(points, { seed: 7, only: 5 })).toEqual(plan(points, { seed: 7, only: 5 }));
  });

  test('seeds bring every pair of victim and side to every activity', () => {
    const one = points.filter(({ activity }) => activity !== 'workflow').slice(3, 4);
    const pairs = new Set(Array.from({ length: 14 }, (_none, seed) => plan(one, { seed }).map(pairOf)).flat());
    expect(pairs.size).toBe(14);
    expect([...pairs]).toContain('child during');
    expect([...pairs]).toContain('temporal deciding');
    expect([...pairs]).not.toContain('host deciding');
  });

  test('a decision of the workflow is only struck where it decides', () => {
    const decided = plan(points, { seed: 3 }).filter((one) => one.point.activity === 'workflow');
    expect(new Set(decided.map(({ side }) => side))).toEqual(new Set(['deciding']));
    expect(decided.every(({ victim }) => ['control', 'temporal'].includes(victim))).toBe(true);
  });

  test('what is wished for holds for all, also what the rotation does not know', () => {
    const both = plan(points.slice(1, 6), { seed: 3, victim: 'both', side: 'during' });
    expect(new Set(both.map(pairOf))).toEqual(new Set(['both during']));
    const named = plan(points, { seed: 3, step: 'step-12' });
    expect(named.map((one) => one.point.step)).toEqual(['database/step-12']);
  });

  test('a few are drawn in their own order, and another seed draws others', () => {
    const drawn = (seed: number) => plan(points, { seed, only: 4 }).map((one) => points.indexOf(one.point));
    expect(drawn(1)).toHaveLength(4);
    expect(drawn(1)).toEqual(drawn(1).toSorted((a, b) => a - b));
    expect(drawn(1)).not.toEqual(drawn(2));
  });
});
