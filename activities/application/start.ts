/** Starting an application that somebody keeps, and taking that back. */
import type { ApplicationChanges, ApplicationState, SeenApplication } from '../contract.ts';
import { currentActivity } from '../current-activity.ts';
import { failure, finalFailure } from '../failure.ts';
import type { Found } from '../shapes.ts';
import { doneByOthers, restartedAlready } from './guard.ts';
import { keeperOf } from './keeper.ts';
import type { ApplicationKind } from './kind.ts';
import { mustStand, watchItStop } from './watch.ts';

const expected = 'it runs, and stays up';

/** Safe to repeat: what runs is only watched. */
export const startApplication: ApplicationChanges['startApplication'] = async ({ application, from }) => {
  const kept = keeperOf(application);
  return started(kept, await startable(kept, from));
};

/** Starts it if it does not run, and proves that it stays up. */
export async function started(kept: ApplicationKind, now: ApplicationState): Promise<Found> {
  const runs = now.runs === 'up';
  if (!runs) await kept.tell('start');
  const after = runs ? 'ran already, and does not stay up' : 'was started, and does not stay up';
  const { words } = await mustStand(kept, { withinMs: kept.times.startsWithinMs, health: false, after });
  return { found: `${runs ? 'it ran already: ' : ''}${words}`, expected };
}

/** Safe to repeat: one that runs by another start than was seen was restarted by an attempt before this one. */
export const restartApplication: ApplicationChanges['restartApplication'] = async ({ application, from }) => {
  const kept = keeperOf(application);
  const now = await startable(kept, from);
  const attempt = attemptNow();
  const moved = doneByOthers(from, now, attempt);
  if (moved !== undefined)
    throw failure('Moved', `${kept.name} ${moved} (${now.found}). Find out who does that, and look again.`);
  if (!restartedAlready(from, now, attempt)) await kept.tell('restart');
  const { startsWithinMs, stopsWithinMs } = kept.times;
  const { words } = await mustStand(kept, {
    withinMs: startsWithinMs + stopsWithinMs,
    health: false,
    after: 'was restarted, and does not stay up',
  });
  return { found: words, expected };
};

/** @throws Moved @throws ApplicationUnfit */
async function startable(kept: ApplicationKind, from: SeenApplication): Promise<ApplicationState> {
  const now = await kept.look(false);
  if (now.unfit !== undefined) throw failure('ApplicationUnfit', now.unfit);
  if (now.quiesced === undefined) return now;
  throw failure(
    from.quiesced === undefined ? 'Moved' : 'ApplicationUnfit',
    `${kept.name} is kept from being started: ${now.quiesced}. Find out whether it may run again; if so, resume it.`,
  );
}

/** Nothing is done to what runs no longer. */
export const stopApplication: ApplicationChanges['stopApplication'] = async ({ application }) => {
  const kept = keeperOf(application);
  await stopped(kept, await kept.look(false));
  const { found } = await kept.look(false);
  return { found, expected: 'it does not run, as before' };
};

/**
 * @returns how it ended
 * @throws ApplicationDown it still runs when its time is over
 */
export async function stopped(kept: ApplicationKind, now: ApplicationState): Promise<ApplicationState> {
  const runs = now.runs === 'up' || now.runs === 'changing';
  if (runs) await kept.tell('stop');
  const ended = runs ? await watchItStop(kept) : now;
  if (ended.runs === 'stopped' || ended.runs === 'failed') return ended;
  throw finalFailure(
    'ApplicationDown',
    `${kept.name} was told to stop, and has not when its time was over: ${ended.found}. See what it waits for, or give it longer (stopsWithin).`,
  );
}

function attemptNow(): number {
  return currentActivity()?.info.attempt ?? 1;
}
