/** What the server itself says of its recovery. "Done" is read here, not from an exit code. */
import { readFile } from 'node:fs/promises';
import { failure, finalFailure } from '../failure.ts';
import { lastLines, readFrom } from '../tail.ts';
import type { Places } from './scratch.ts';

export interface RecoveryWords {
  /** `recovery stopping after WAL location (LSN) "0/5A3F2C8"` */
  stopping?: string;
  /** Timeline of the segment fetched last. */
  lastTimeline?: number;
  lastCommitAt?: string;
  /** What the WAL wants raised: a hot standby goes no further with less than its primary has. */
  raised: Record<string, number>;
  /** FATAL and PANIC, apart from those that greet early connections. */
  fatal: string[];
  /** Why reading WAL stopped, such as a damaged record. */
  damage?: string;
}

/** @param from where the log of this start begins, bytes */
export async function recoveryWords(places: Places, from: number): Promise<RecoveryWords> {
  return wordsIn(await readFrom(places.serverLog, from));
}

export function wordsIn(log: string): RecoveryWords {
  const stopping = last(log, /LOG: {2}(recovery stopping .*)$/gm);
  const segment = last(log, /restored log file "([0-9A-F]{8})[0-9A-F]{16}" from archive/g);
  const commit =
    last(log, /last completed transaction was at log time (\S+ \S+)/g) ?? last(stopping ?? '', /time (\d{4}-\S+ \S+)/g);
  const damage = last(
    log,
    /LOG: {2}((?:incorrect|invalid (?!checkpoint record|primary checkpoint record)|unexpected|out-of-sequence|WAL file is from|there is no contrecord|contrecord|record with|missing contrecord).*)$/gm,
  );
  return {
    ...(stopping === undefined ? {} : { stopping }),
    ...(segment === undefined ? {} : { lastTimeline: Number.parseInt(segment, 16) }),
    ...(commit === undefined ? {} : { lastCommitAt: commit.replace(' ', 'T').replace(/\+00.*$|$/, 'Z') }),
    ...(damage === undefined ? {} : { damage }),
    raised: Object.fromEntries(
      [...log.matchAll(/(\w+) = \d+ is a lower setting than on the primary server, where its value was (\d+)/g)].map(
        ([, name = '', value]) => [name, Number(value)],
      ),
    ),
    fatal: fatalIn(log),
  };
}

/** Apart from those that greet early connections, and those that other processes say when one has died. */
function fatalIn(log: string): string[] {
  return [...log.matchAll(/(?:FATAL|PANIC): {2}(.*)$/gm)]
    .map(([, words = '']) => words)
    .filter(
      (words) => !/the database system is|terminating (connection|background)|role .* does not exist/.test(words),
    );
}

/**
 * Whether a server that is gone was killed: it names the signal, or it ended without a word. What it was asked is not answered then, and
 * it can be started again where it stood.
 * @param from where the log of this start begins, bytes
 */
export async function wasKilled(places: Places, from: number): Promise<boolean> {
  return tellsOfKill(await readFrom(places.serverLog, from));
}

/** Whether the log of a server, which may run, tells of a process of its own that was killed. */
export async function namesKill(places: Places, from: number): Promise<boolean> {
  return killOfOwn.test(await readFrom(places.serverLog, from));
}

const killOfOwn = /was terminated by signal 9\b/;

export function tellsOfKill(log: string): boolean {
  if (killOfOwn.test(log)) return true;
  return fatalIn(log).length === 0 && !/LOG: {2}database system is shut down/.test(log);
}

function last(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1];
}

/** Where the replay wanted to create a tablespace, and was not let. */
export async function createdTablespace(places: Places): Promise<string | undefined> {
  return tablespaceIn(await readFrom(places.serverLog, 0));
}

/** `CONTEXT:  WAL redo at 0/3000158 for Tablespace/CREATE: 16400 "/srv/space"`, after the FATAL that it belongs to. */
export function tablespaceIn(log: string): string | undefined {
  return last(
    log,
    /FATAL: {2}[^\n]*\n(?:[^\n]*HINT:[^\n]*\n)?[^\n]*CONTEXT: {2}WAL redo at \S+ for Tablespace\/CREATE: \d+ "([^\n]*)"$/gm,
  );
}

/** The failure behind the end of a server that should have paused at its target. */
export async function whyEnded(places: Places, from: number): Promise<Error> {
  const words = await recoveryWords(places, from);
  const waiting = (await readFile(places.reason, 'utf8').catch(() => '')).trim();
  const said = words.fatal.join('; ') || 'nothing';
  const tail = (await lastLines(places.serverLog, 3)).join(' | ');
  const server = `The server said: ${said}.`;
  const tablespace = tablespaceIn(await readFrom(places.serverLog, from));
  if (tablespace !== undefined)
    return failure(
      'TablespaceUnsafe',
      `up to the target the WAL creates a tablespace in ${tablespace}, which the backup does not know: replaying that here would write there, outside of ${places.directory}. The server was not let (${said}), and nothing there was changed. Take a new backup, or choose a target before it.`,
    );
  if (/No space left on device/.test(said) || waiting.startsWith('no room'))
    return failure(
      'DiskFull',
      `the replay ran out of room in ${places.directory}: ${waiting || said}. Make room there.`,
    );
  if (waiting.includes('damaged in the archive'))
    return failure(
      'BackupCorrupt',
      `${waiting}. ${server} Nothing after it can be recovered from this backup: choose an earlier target, take a new backup, and find out what damaged it.`,
    );
  if (waiting.startsWith('gave up'))
    return finalFailure(
      'ArchiveUnreachable',
      `the WAL archive did not answer until the time that the plan gives this phase was used up: ${waiting}. ${server} See whether the object store and the way to it are up.`,
    );
  if (waiting.startsWith('the store refuses'))
    return failure(
      'StoreRefused',
      `${waiting}. ${server} Correct the store's certificate, key or bucket (pgBackRest's configuration on this host), then run it again.`,
    );
  if (waiting.includes('cannot be used')) return failure('PlanInvalid', `${waiting}. ${server}`);
  if (said.includes('recovery ended before configured recovery target')) return endedEarly(places, words, server);
  // Where the backup's own first segment holds something else, it does not even begin.
  if (/could not locate .*checkpoint record/.test(said) && words.damage !== undefined)
    return unreadable(words.damage, server);
  if (said.includes('before consistent recovery point'))
    return failure(
      'ReplayFailed',
      `the target lies before the end of the backup, or before what was replayed already. ${server} A server moves forward only: restore again, from an older backup if need be.`,
    );
  return failure('ReplayFailed', `recovery stopped before its target. ${server} Last lines of its log: ${tail}`);
}

/** WAL that is whole, and of somebody else. @see PostgreSQL source, XLogReaderValidatePageHeader in xlogreader.c */
const ofAnother = /^(WAL file is from different database system|out-of-sequence timeline ID|unexpected pageaddr)/;

async function endedEarly(places: Places, words: RecoveryWords, server: string): Promise<Error> {
  if (words.damage !== undefined) return unreadable(words.damage, server);
  const absent = (await lastLines(places.absent, 50).catch(() => []))
    .filter((name) => /^[0-9A-F]{24}$/.test(name))
    .at(-1);
  const gap = absent === undefined ? 'the WAL ends before the target' : `segment ${absent} is not in the archive`;
  return failure(
    'ArchiveGap',
    `${gap}, but the target lies after it. ${server} Choose an earlier target, or find the segment (on the old primary's or a standby's disk) and archive it.`,
  );
}

function unreadable(damage: string, server: string): Error {
  if (ofAnother.test(damage))
    return failure(
      'ArchiveUnsound',
      `a segment in the archive is not this server's own: ${damage}. ${server} Another server archives there, or a file was copied or renamed: lifeboat archive --deep finds it. Restore nothing from it before this is understood.`,
    );
  return failure(
    'BackupCorrupt',
    `the WAL in the archive cannot be read on: ${damage}. ${server} A segment there is damaged, or is another than its name says; nothing after it can be recovered from this backup.`,
  );
}
