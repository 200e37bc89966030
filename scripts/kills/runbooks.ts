/** The runbooks that are walked: how each begins, how it ends well, and what it is to leave behind. */
import type { Host } from '../../lab/layout.ts';
import type { RunbookName } from '../../workflows/messages.ts';
import { leaveSomething } from './leftover.ts';
import type { Scene } from './scene.ts';

export const walkable = ['backup', 'anchor', 'monthly-drill', 'sweep'] as const satisfies RunbookName[];
export type Walkable = (typeof walkable)[number];

/** They change the live servers, and are walked each on an estate of its own. */
export const walkedLive = [
  'switchover',
  'region-switchover',
  'point-in-time-recovery',
] as const satisfies RunbookName[];
export type LiveRunbook = (typeof walkedLive)[number];

export function isWalkedLive(runbook: Walkable | LiveRunbook): runbook is LiveRunbook {
  return walkedLive.some((one) => one === runbook);
}

interface Walked {
  /** Makes ready what the run is for, and yields its input. */
  input(scene: Scene): Promise<object>;
  goodEnd: 'proven' | 'completed';
  /** Whose host worker dies where the control worker does the step. */
  host: Host;
  /** What it is to leave in the stores, besides its evidence. */
  adds: { backups: number; anchors: number };
}

const nothing = { backups: 0, anchors: 0 };

export const walkedRunbooks: Record<Walkable, Walked> = {
  backup: {
    input: async () => ({ mode: 'live', type: 'full' }),
    goodEnd: 'completed',
    host: 'db1',
    adds: { backups: 1, anchors: 1 },
  },
  anchor: {
    input: async () => ({ mode: 'live' }),
    goodEnd: 'completed',
    host: 'db2',
    adds: { backups: 0, anchors: 1 },
  },
  'monthly-drill': { input: async () => ({}), goodEnd: 'proven', host: 'db2', adds: nothing },
  sweep: {
    input: async (scene) => ({ mode: 'live', shownBy: await leaveSomething(scene) }),
    goodEnd: 'completed',
    host: 'db2',
    adds: nothing,
  },
};
