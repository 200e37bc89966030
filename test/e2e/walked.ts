import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { type LiveWalk, walkLive } from '../../scripts/kills/live.ts';
import { renderTable } from '../../scripts/kills/table.ts';
import { all, seed } from '../sample.ts';

/** Milliseconds; every step of a live run takes hours. */
export const walkPatienceMs = all ? 4 * 60 * 60_000 : 400_000;

/** A live runbook with a kill in it, at a step that the seed draws; with `--all` at every step. */
export async function expectSurvived(live: LiveWalk): Promise<void> {
  const root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'e-'));
  const wish = all ? { seed } : { seed, only: 1 };
  const walks = await walkLive(live, { root, template: inject('template') }, wish, () => undefined);
  expect(walks.length).toBeGreaterThan(0);
  expect(
    walks.flatMap(({ problems }) => problems),
    renderTable(walks),
  ).toEqual([]);
}
