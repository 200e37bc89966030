/** The walks over an estate: first each runbook undisturbed, then again and again, in an order that keeps each run short. */
import { type Planned, plan, type Wish } from './rotation.ts';
import { type Walkable, walkable } from './runbooks.ts';
import type { Scene } from './scene.ts';
import { type Calm, calmRun, type Walked, walk } from './walk.ts';

export type Calms = ReadonlyMap<Planned['point']['runbook'], Calm>;

/** A run of each that nobody disturbs; a backup first, because a drill needs one. */
export async function calmRuns(scene: Scene, runbooks: readonly Walkable[] = walkable): Promise<Calms> {
  const calms = new Map<Walkable, Calm>();
  for (const runbook of walkable.filter((one) => one === 'backup' || runbooks.includes(one)))
    calms.set(runbook, await calmRun(scene, runbook));
  return new Map([...calms].filter(([runbook]) => runbooks.includes(runbook)));
}

/** Each runbook's spread evenly among the others': a drill after a long time without a backup would have much WAL to replay. */
export function planWalks(calms: Calms, wish: Wish): Planned[] {
  const planned = plan(
    [...calms.values()].flatMap(({ points }) => points),
    wish,
  );
  const placed = (list: Planned[]) => list.map((one, index) => ({ one, at: (index + 0.5) / list.length }));
  return walkable
    .flatMap((runbook) => placed(planned.filter(({ point }) => point.runbook === runbook)))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

export async function walkAll(
  scene: Scene,
  calms: Calms,
  planned: readonly Planned[],
  told: (walked: Walked, number: number) => void,
): Promise<Walked[]> {
  const walks: Walked[] = [];
  for (const one of planned) {
    const walked = await walk(scene, one, calmOf(calms, one.point.runbook));
    walks.push(walked);
    told(walked, walks.length);
  }
  return walks;
}

export function calmOf(calms: Calms, runbook: Planned['point']['runbook']): Calm {
  const calm = calms.get(runbook);
  if (calm === undefined) throw new Error(`no ${runbook} was run undisturbed: there is nothing to measure a walk by`);
  return calm;
}
