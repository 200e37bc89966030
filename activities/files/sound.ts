/** Whether what is kept can be given back, and whether what lies here is what was given back. */
import { formatBytes, formatNumberOf } from '../../evidence/format.ts';
import { shortId } from '../../recovery/snapshots.ts';
import type { Files } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import { treeOf } from './look.ts';
import { ask, parsed, throwFor } from './restic.ts';
import { treesOf } from './snapshots.ts';
import { counted, differencesBetween, inWords, treeAt } from './tree.ts';

/** So much of a large repository is read each time, at random: a damaged part is found sooner or later, and at a known price. */
const readAtMost = 2 * 1024 ** 3;

const checkedWithinMs = 2 * 60 * 60_000;

/** Without its data a check passes on a damaged pack. @throws BackupCorrupt @throws KeyLost */
export async function filesSound({ files }: { files: Files }): Promise<Found> {
  await permitFiles(files);
  const size = await ask(files, ['stats', '--mode', 'raw-data'], { reads: true, withinMs: checkedWithinMs });
  if (size.code !== 0)
    throwFor(files, size, (words) =>
      failure('BackupCorrupt', `${files.repository} cannot be read: ${words}. See restic check.`),
    );
  const total = totalIn(size.stdout);
  const whole = total <= readAtMost;
  const words = ['check', ...(whole ? ['--read-data'] : [`--read-data-subset=${Math.round(readAtMost / 1024 ** 2)}M`])];
  const ended = await ask(files, words, { reads: true, withinMs: checkedWithinMs });
  if (ended.code !== 0)
    throwFor(files, ended, (said) =>
      failure(
        'BackupCorrupt',
        `${files.repository} is damaged: ${said}. What is damaged does not come back: keep a copy for inquiry, restic rebuild-index and prune, then back up again while the files are there.`,
      ),
    );
  return {
    found: `${whole ? `all ${formatBytes(total)}` : `${formatBytes(readAtMost)} at random of ${formatBytes(total)}`} of ${files.repository} read, no error`,
    expected: 'every part of it holds what its name says',
  };
}

function totalIn(text: string): number {
  const { total_size } = parsed(text.trim().split('\n').at(-1) ?? '') ?? {};
  return typeof total_size === 'number' ? total_size : 0;
}

/** @throws NotEqual */
export async function filesAre({ files, snapshot }: { files: Files; snapshot: string }): Promise<Found> {
  await permitFiles(files);
  const trees = await treesOf(files, snapshot);
  let entries = 0;
  for (const path of files.paths) {
    const then = treeOf(trees, path, { id: snapshot });
    const differences = differencesBetween(await treeAt(path), then);
    entries += then.size;
    if (differences.length > 0)
      throw failure(
        'NotEqual',
        `${path} on ${files.host} is not what snapshot ${shortId(snapshot)} holds: ${inWords(counted(differences))}, the first is ${path}${differences[0]?.way}. Somebody may write there; look, then take it back or go on.`,
      );
  }
  return {
    found: `${formatNumberOf(entries, 'entry', 'entries')} as snapshot ${shortId(snapshot)} lists them: kind, size, time, owner, mode`,
    expected: 'what was restored, in its place',
  };
}
