/** The points of a walk come from a run's history: nothing of the recorded runs is left out. */
import { readdir, readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { pointsOf } from '../../../scripts/kills/points.ts';
import type { Walkable } from '../../../scripts/kills/runbooks.ts';

const folder = new URL('../../replay/histories/', import.meta.url);

async function recorded(runbook: Walkable) {
  const names = await readdir(folder);
  const name = names.find((one) => new RegExp(`^${runbook}-\\d`).test(one)) ?? '';
  const history = historyFromJSON(JSON.parse(await readFile(new URL(name, folder), 'utf8')));
  const scheduled = (history.events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) =>
    one ? [one] : [],
  );
  const written = scheduled.find((one) => one.activityType?.name === 'writeEvidence')?.input?.payloads?.[0]?.data;
  const { evidence }: { evidence: Evidence } = JSON.parse(Buffer.from(written ?? []).toString());
  return { history, evidence, activities: scheduled.map(({ activityId }) => activityId) };
}

describe.each(['monthly-drill', 'backup', 'anchor', 'sweep'] as const)('of a %s', (runbook) => {
  test('every activity is a point, in the order of the history', async () => {
    const { history, evidence, activities } = await recorded(runbook);
    const points = pointsOf(runbook, history, evidence);
    expect(points.filter(({ activity }) => activity !== 'workflow').map(({ id }) => id)).toEqual(activities);
    expect(new Set(points.map(({ worker }) => worker)).size).toBeGreaterThan(1);
  });

  test('every step is a point, also one that the workflow decides alone', async () => {
    const { history, evidence } = await recorded(runbook);
    const points = pointsOf(runbook, history, evidence);
    const steps = evidence.steps.map(({ id }) => id);
    expect(points.map(({ step }) => step)).toEqual(expect.arrayContaining(steps));
    const alone = points.filter(({ activity }) => activity === 'workflow');
    expect(steps).toEqual(expect.arrayContaining(alone.map(({ step }) => step)));
    // Each stops with something that the engine is asked for in the same breath.
    const asked = new Set([...points.filter((one) => one.activity !== 'workflow').map(({ id }) => id)]);
    for (const { id } of alone) expect(asked.has(id) || id.startsWith('lifeboat-host/')).toBe(true);
  });
});
