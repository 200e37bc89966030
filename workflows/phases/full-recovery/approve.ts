/** What the run is about to do, before it does anything: put to people with all that was found. */
import { lostInWords } from '../full-restore/loss.ts';
import type { Everything, FullRecoveryRun, Part } from './assess.ts';
import { visitorsAreKeptAway } from './traffic.ts';

export const beginApproval = 'Begin the full recovery';

export async function beginRecovery(run: FullRecoveryRun, found: Everything): Promise<void> {
  await run.approval(beginApproval, async () => {
    const { lost, databaseWords, parts } = found;
    return {
      subject: {
        database: lost === undefined ? databaseWords : `gone: ${databaseWords}`,
        ...(lost === undefined
          ? {}
          : {
              'comes back from': `backup ${lost.way.backup.label}, up to ${lost.way.said} at ${lost.way.located.target.lsn}`,
              lost: lostInWords(lost.lost, lost.way.located.at),
            }),
        ...(visitorsAreKeptAway(run, found)
          ? { visitors: `all of them are led to ${run.plan.visitors?.closed} meanwhile` }
          : {}),
        ...Object.fromEntries(parts.map((part) => [part.name, `${becomesInWords[part.becomes]}: ${part.words}`])),
      },
      shown: {
        'what happens next':
          lost === undefined
            ? 'what is gone is brought back in the order of what stands on what'
            : 'the database is restored beside its places, proven and put to people once more; then everything else comes back',
      },
    };
  });
}

const becomesInWords: Record<Part['becomes'], string> = {
  back: 'is brought back',
  again: 'is begun anew, for what it stands on comes back',
  'left-alone': 'is left alone',
};
