/**
 * What fails on a full disk proves nothing else: a log that could not be written, a segment that could not be stored and a page that
 * could not be extended all look like something else to whoever reads the ends of it.
 */
import { tmpdir } from 'node:os';
import type { FailureType } from '../evidence/failures.ts';
import { diskFull, isFull, namesItsDisk, takesNoMore } from './disk.ts';
import type { Room, Scratch } from './shapes.ts';

/** What a full disk can look like; other failures say of themselves what they are. */
const disguises: readonly FailureType[] = [
  'ArchiveGap',
  'ArchiveUnreachable',
  'BackupCorrupt',
  'BackupFailed',
  'Bug',
  'DatabaseUnreachable',
  'DataCorrupt',
  'DiskFull',
  'ReplayFailed',
  'RestoreFailed',
  'SmokeFailed',
];

/** The same activities, which say `DiskFull` when that is what it was, and which disk. */
export function sayingFullDisk<A extends object>(activities: A): A {
  const saying = Object.entries(activities).map(([name, activity]) => [
    name,
    async (ask: Ask) => {
      try {
        return await activity(ask);
      } catch (error) {
        throw (await seenFull(ask, error)) ?? error;
      }
    },
  ]);
  return Object.fromEntries(saying) as A;
}

interface Ask {
  scratch?: Scratch;
  room?: Room;
  member?: { host: string };
}

async function seenFull(ask: Ask, error: unknown): Promise<Error | undefined> {
  if (!(error instanceof Error) || namesItsDisk(error) || !mayBe(error)) return undefined;
  // Without a directory of its own, an activity keeps its log among the temporary files.
  const scratch = ask.scratch ?? { host: ask.member?.host ?? 'this host', directory: tmpdir() };
  const full = isFull(error) || typeOf(error) === 'DiskFull' || (await takesNoMore(scratch.directory));
  if (!full) return undefined;
  return diskFull(scratch, error.message, ask.room?.bytes);
}

function mayBe(error: Error): boolean {
  if (error.name === 'CancelledFailure' || error.name === 'AbortError') return false;
  const type = typeOf(error);
  return type === undefined || disguises.some((one) => one === type);
}

function typeOf(error: Error): string | undefined {
  return 'type' in error && typeof error.type === 'string' ? error.type : undefined;
}
