/** Runs in which somebody is killed go on to their good end; nobody but the operator's log notices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Victim } from '../../../scripts/kills/rotation.ts';
import { closeScene, openScene, type Scene, walkEstate } from '../../../scripts/kills/scene.ts';
import { renderTable } from '../../../scripts/kills/table.ts';
import { walk } from '../../../scripts/kills/walk.ts';
import { type Calms, calmOf, calmRuns, planWalks, walkAll } from '../../../scripts/kills/walks.ts';
import { all, sampled, seed } from '../../sample.ts';
import { useEstate } from '../drill/scenario.ts';

const scenario = useEstate(walkEstate);
let scene: Scene;
let calms: Calms;

beforeAll(async () => {
  scene = await openScene(scenario().estate);
  calms = await calmRuns(scene, ['backup', 'monthly-drill', ...sampled(['anchor', 'sweep'] as const, 1, 'walked')]);
}, 300_000);

afterAll(() => closeScene(scene));

const moments = [
  { middle: 'the restore', step: 'database/restore-the-backup-beside' },
  { middle: 'the replay', step: 'database/roll-forward-to-the-target' },
  { middle: 'the clean-up', step: 'closing/undo-restore-the-backup-beside' },
];
const killed: { who: string; victim: Victim }[] = [
  { who: 'the host worker', victim: 'host' },
  { who: 'the control worker', victim: 'control' },
  { who: 'both workers', victim: 'both' },
  { who: 'Temporal', victim: 'temporal' },
];
/** Where the host's tools and the server beside are at work. */
const worked = [
  ...moments.slice(0, 2),
  { middle: 'the promotion', step: 'database/promote-the-throw-away-server' },
  { middle: "the application's test", step: 'application/the-application-works-on-the-restored-database' },
  { middle: 'the check of the indexes', step: 'validation/indexes-agree-with-their-tables' },
  { middle: 'the check of the pages', step: 'validation/page-checksums-are-right' },
];
const cases = [
  ...moments.flatMap((moment) => killed.map((one) => ({ ...moment, ...one }))),
  ...worked.map((moment) => ({ ...moment, who: 'a database process', victim: 'child' as const })),
];

describe('kill -9 in the middle of a drill', () => {
  test.each(sampled(cases, 1, 'kill'))(
    'of $who, in the middle of $middle: it is proven, nothing is done twice or left, and writes never stop',
    async ({ step, victim }) => {
      const calm = calmOf(calms, 'monthly-drill');
      const point = calm.points.find((one) => one.step === step);
      if (point === undefined) throw new Error(`the drill has no step ${step}`);
      const walked = await walk(scene, { point, victim, side: 'during', depth: 0.5 }, calm);
      expect(walked.problems).toEqual([]);
      expect(walked.outcome).toBe('proven');
      expect(walked.leftOver).toEqual([]);
      // By the log of the server beside: one promotion, and as many starts as without a kill.
      expect(walked.deeds.timelines).toHaveLength(1);
      expect(walked.written.failed).toEqual([]);
    },
    400_000,
  );
});

test(
  'the kill walk: a kill at every step, drawn by the seed, is survived',
  async () => {
    const planned = planWalks(calms, all ? { seed } : { seed, only: 2 });
    const walks = await walkAll(scene, calms, planned, () => undefined);
    expect(walks.length).toBe(planned.length);
    const lost = walks.filter(({ problems }) => problems.length > 0);
    expect(
      lost.flatMap(({ problems }) => problems),
      renderTable(walks),
    ).toEqual([]);
  },
  all ? 3 * 60 * 60_000 : 900_000,
);
