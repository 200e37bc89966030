/** Keeping an application from running, whoever tries to start it, for as long as others must be alone with its data. */
import type { ApplicationChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { keeperOf } from './keeper.ts';
import { started, stopped } from './start.ts';

/** Safe to repeat: kept down first and stopped then, so that nobody can start it in between. */
export const quiesceApplication: ApplicationChanges['quiesceApplication'] = async ({ application, by }) => {
  const kept = keeperOf(application);
  const now = await kept.look(false);
  if (now.unfit !== undefined) throw failure('ApplicationUnfit', now.unfit);
  if (now.quiesced !== undefined && !kept.keptDownBy(by, now))
    throw failure(
      'Moved',
      `${kept.name} is kept down by somebody else: ${now.quiesced}. Wait for that to end, or resume it first.`,
    );
  await kept.keepDown(by);
  const ended = await stopped(kept, await kept.look(false));
  return { found: ended.found, expected: 'it does not run, and nobody can start it' };
};

/** Safe to repeat. */
export const resumeApplication: ApplicationChanges['resumeApplication'] = async ({ application, from, start, by }) => {
  const kept = keeperOf(application);
  const now = await kept.look(false);
  if (now.unfit !== undefined) throw failure('ApplicationUnfit', now.unfit);
  const own = by !== undefined && kept.keptDownBy(by, now);
  if (now.quiesced !== undefined && now.quiesced !== from.quiesced && !own)
    throw failure(
      'Moved',
      `${kept.name} is kept down by somebody else by now: ${now.quiesced}. Find out whether that has ended, and look again.`,
    );
  if (now.quiesced !== undefined) await kept.letStart();
  if (start) return started(kept, await kept.look(false));
  return { found: `${now.found}; it can be started again`, expected: 'it can be started again' };
};
