/** Looking at an application that somebody keeps: nothing is changed here. */
import { formatDuration } from '../../evidence/format.ts';
import type { ApplicationReads } from '../contract.ts';
import { finalFailure } from '../failure.ts';
import { keeperOf } from './keeper.ts';
import { mustStand, watch } from './watch.ts';

export const applicationState: ApplicationReads['applicationState'] = async ({ application }) => {
  const kept = keeperOf(application);
  const state = await kept.look(true);
  if (state.runs === 'up' && state.health?.healthy !== false) return state;
  const lastLines = await kept.lastWords();
  if (lastLines.length === 0) return state;
  return { ...state, log: { host: application.host, path: `journal of ${application.unit}`, lastLines } };
};

export const applicationMayBeChanged: ApplicationReads['applicationMayBeChanged'] = ({ application, quiesce }) =>
  keeperOf(application).mayBeChanged(quiesce);

/** What has failed or was stopped is not waited for: whoever keeps it has given it up. */
export const applicationComesBack: ApplicationReads['applicationComesBack'] = async ({ application, withinMs }) => {
  const began = performance.now();
  const { stands, state, words } = await watch(keeperOf(application), { withinMs, health: true });
  const took = formatDuration(performance.now() - began);
  return {
    back: stands,
    state,
    found: stands ? `it came back by itself within ${took}: ${words}` : `it did not come back by itself: ${words}`,
    expected: `it comes back by itself within ${formatDuration(withinMs)}, or else is brought back`,
  };
};

export const applicationStands: ApplicationReads['applicationStands'] = async ({ application }) => {
  const kept = keeperOf(application);
  const { words } = await mustStand(kept, {
    withinMs: kept.times.healthyWithinMs,
    health: true,
    after: 'does not stand',
  });
  return { found: words, expected: 'it stays up, and is healthy', at: new Date().toISOString() };
};

export const applicationIsQuiet: ApplicationReads['applicationIsQuiet'] = async ({ application }) => {
  const state = await keeperOf(application).look(false);
  const expected = 'it does not run, and nobody can start it';
  if (state.quiesced !== undefined && (state.runs === 'stopped' || state.runs === 'failed'))
    return { found: state.found, expected };
  throw finalFailure(
    'ApplicationDown',
    `${state.found}${state.quiesced === undefined ? ', and nobody has quiesced it' : ''}. Expected that ${expected}: quiesce it again.`,
  );
};
