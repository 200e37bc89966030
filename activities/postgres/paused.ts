/** Waiting for a server beside to stand paused at its target, and what it was started with. */
import { readFile } from 'node:fs/promises';
import type { RecoveryTarget } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import type { Outage } from '../outage.ts';
import { isAlive } from '../processes.ts';
import { askRecovery, type RecoveryState } from './recovery-state.ts';
import { sayOutage } from './restore-command.ts';
import { type Places, writeWhole } from './scratch.ts';
import { recoveryWords, wasKilled, whyEnded } from './server-log.ts';

/** What the server was started with. */
export interface Start {
  target: RecoveryTarget;
  raised: Record<string, number>;
  /** It is never to serve: it may lose its data in a crash, and others have the processors first. */
  throwAway: boolean;
  /** Where its log begins, bytes. */
  logFrom: number;
}

export async function readStart(places: Places): Promise<Start | undefined> {
  const text = await readFile(places.target, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Start);
}

/** Before it is started: a worker that is killed in between leaves no server that nobody knows the target of. */
export function noteStart(places: Places, start: Start): Promise<void> {
  return writeWhole(places.target, JSON.stringify(start));
}

/** Where it stands; or what it wants raised before it can go on; or that somebody has killed it. */
export type Reached = { state: RecoveryState } | { raised: Record<string, number> } | { killed: true };

/**
 * Replay stands still, and people wait, until the pause is seen; but each look is a session of the server that replays. So a look is
 * never later than a fiftieth of the time that was waited already.
 */
function nextLookMs(waitedMs: number): number {
  return Math.min(1_000, Math.max(100, waitedMs / 50));
}

/**
 * @param outage of the archive, which is told of it
 * @param watch called again and again; what it throws ends the waiting
 */
export async function waitForPause(
  places: Places,
  start: Start,
  pid: number,
  outage?: Outage,
  watch?: () => Promise<void>,
): Promise<Reached> {
  const began = performance.now();
  let seen: RecoveryState | undefined;
  for (;;) {
    await watch?.();
    const alive = await isAlive(pid);
    const state = alive ? await askRecovery(places) : undefined;
    seen = state ?? seen;
    if (!alive) {
      const { raised } = await recoveryWords(places, start.logFrom);
      if (wantsMore(raised, start)) return { raised };
      if (await wasKilled(places, start.logFrom)) return { killed: true };
      throw await whyEnded(places, start.logFrom);
    }
    if (state?.promoted) throw promotedAlready(places, start.target);
    if (state?.pause === 'paused') {
      const words = await recoveryWords(places, start.logFrom);
      if (words.stopping !== undefined) return { state };
      // It also pauses where a hot standby cannot go on: that is not the target.
      if (wantsMore(words.raised, start)) return { raised: words.raised };
    }
    if (outage !== undefined) await sayOutage(places, outage);
    const replayed = seen?.lsn ?? 'not consistent yet';
    await pause(nextLookMs(performance.now() - began), { target: targetWords(start.target), replayed });
  }
}

export function promotedAlready(places: Places, target: RecoveryTarget): Error {
  return failure(
    'ReplayFailed',
    `the server in ${places.data} is no longer in recovery, expected it to pause at ${targetWords(target)}. What it holds is not what was asked for: restore again.`,
  );
}

function wantsMore(raised: Record<string, number>, start: Start): boolean {
  return Object.entries(raised).some(([name, value]) => value > (start.raised[name] ?? 0));
}

function targetWords(target: RecoveryTarget): string {
  return `${target.kind === 'lsn' ? target.lsn : target.at} on timeline ${target.timeline}`;
}
