/** Looking at an application again and again, until it stands or cannot any more. */
import { formatDuration } from '../../evidence/format.ts';
import type { ApplicationState } from '../contract.ts';
import { finalFailure } from '../failure.ts';
import { nowWaiting, pause } from '../heartbeat.ts';
import type { ApplicationKind } from './kind.ts';

/** Milliseconds between two looks. */
const lookEveryMs = 250;

export interface Watched {
  stands: boolean;
  state: ApplicationState;
  /** How it came to that. */
  words: string;
}

/**
 * It stands once it has run in one piece for as long as the plan wants, and is healthy then, where that is asked. A start that succeeds says
 * nothing: a unit may die a moment later, or die and be started again and again.
 *
 * @param ask.withinMs it must be up and healthy by then, and may use up the time that it has to stay so
 */
export async function watch(kept: ApplicationKind, ask: { withinMs: number; health: boolean }): Promise<Watched> {
  const { staysUpMs } = kept.times;
  const began = performance.now();
  let up: { start: string; sinceMs: number } | undefined;
  try {
    for (;;) {
      const state = await kept.look(ask.health);
      const now = performance.now();
      const start = `${state.start} ${state.restarts}`;
      if (state.runs !== 'up') up = undefined;
      else if (up?.start !== start) up = { start, sinceMs: now };
      const healthy = state.health?.healthy !== false;
      const upForMs = up === undefined ? 0 : now - up.sinceMs;
      if (up !== undefined && healthy && upForMs >= staysUpMs)
        return { stands: true, state, words: `${state.found}; it has stayed up for ${formatDuration(staysUpMs)}` };
      if (state.unfit !== undefined) return { stands: false, state, words: state.unfit };
      if (state.runs === 'failed' || state.runs === 'stopped') return { stands: false, state, words: state.found };
      const staying = up !== undefined && healthy;
      if (now - began >= ask.withinMs + (staying ? staysUpMs : 0))
        return { stands: false, state, words: `after ${formatDuration(now - began)}: ${state.found}` };
      nowWaiting(state.found);
      await pause(lookEveryMs);
    }
  } finally {
    nowWaiting(undefined);
  }
}

/** @throws ApplicationDown @throws ApplicationUnfit */
export async function mustStand(
  kept: ApplicationKind,
  ask: { withinMs: number; health: boolean; after: string },
): Promise<Watched> {
  const watched = await watch(kept, ask);
  if (watched.stands) return watched;
  const { state, words } = watched;
  if (state.unfit !== undefined) throw finalFailure('ApplicationUnfit', state.unfit);
  throw finalFailure(
    'ApplicationDown',
    `${kept.name} ${ask.after}: ${words}. Expected it to stay up for ${formatDuration(kept.times.staysUpMs)}${ask.health ? ', and healthy' : ''}.${said(await kept.lastWords())}`,
  );
}

/** Waits until it runs no longer. @returns the state then, or the last one when the time is over */
export async function watchItStop(kept: ApplicationKind): Promise<ApplicationState> {
  const deadline = performance.now() + kept.times.stopsWithinMs;
  try {
    for (;;) {
      const state = await kept.look(false);
      if (state.runs === 'stopped' || state.runs === 'failed' || performance.now() >= deadline) return state;
      nowWaiting(state.found);
      await pause(lookEveryMs);
    }
  } finally {
    nowWaiting(undefined);
  }
}

function said(lines: string[]): string {
  return lines.length === 0 ? '' : ` It said: ${lines.join(' | ').slice(0, 600)}.`;
}
