import { formatDuration } from '../../evidence/format.ts';
import type { EntryReads } from '../contract.ts';
import { finalFailure } from '../failure.ts';
import { nowWaiting, pause } from '../heartbeat.ts';
import { frontDoorOf, leadsTo } from './leads.ts';
import { answerInWords, resolverAnswers } from './resolvers.ts';

/** Milliseconds between two looks. */
const lookEveryMs = 500;

/**
 * The record itself is not asked: what a resolver gives is what its clients get.
 *
 * @throws EntryNotSeen one still gives something else, or nothing, when the time is over
 */
export const entrySeen: EntryReads['entrySeen'] = async ({ entry, site, withinMs }) => {
  const where = leadsTo(entry, frontDoorOf(entry, site));
  const deadline = performance.now() + withinMs;
  try {
    for (;;) {
      const answers = await resolverAnswers(entry);
      const late = answers.filter((one) => one.site !== site).map(answerInWords);
      if (late.length === 0)
        return seen(
          answers.map(({ resolver }) => resolver),
          where,
        );
      if (performance.now() >= deadline)
        throw finalFailure(
          'EntryNotSeen',
          `after ${formatDuration(withinMs)} not every resolver leads ${where}: ${late.join('; ')}. Their clients go there until they ask again: wait, or flush ${entry.name} in them, then look again.`,
        );
      nowWaiting(late.join('; '));
      await pause(Math.min(lookEveryMs, Math.max(0, deadline - performance.now())));
    }
  } finally {
    nowWaiting(undefined);
  }
};

function seen(resolvers: string[], where: string): { at: string; found: string; expected: string } {
  return {
    at: new Date().toISOString(),
    found:
      resolvers.length === 0
        ? 'the plan names no resolver (entry.resolvers): what clients get was not looked at'
        : `${resolvers.join(', ')}: all lead ${where}`,
    expected: 'every resolver leads there',
  };
}
