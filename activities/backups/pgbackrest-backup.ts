import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo } from '../../recovery/archive.ts';
import { runLong } from '../child.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { type Outage, waitingOut } from '../outage.ts';
import { endProcesses, processesWith } from '../processes.ts';
import type { Patience } from '../shapes.ts';
import { readFrom, sizeOf } from '../tail.ts';
import { underWatch } from '../under-watch.ts';
import { answers } from './pgbackrest-answers.ts';
import { base, program } from './pgbackrest-command.ts';
import { annotation, backupsOf, readInfo } from './pgbackrest-info.ts';
import { progressOf } from './pgbackrest-progress.ts';
import { firstWords, meaningOf } from './pgbackrest-words.ts';

/** 50: another pgBackRest holds the stanza's lock. The lock is the kernel's, so it never outlives its holder. */
const lockHeld = 50;

interface Ask extends Patience {
  type: BackupInfo['type'];
  /** Noted with the backup, so that a retry finds it. */
  key: string;
}

export async function backup(backups: PhysicalBackups, ask: Ask): Promise<BackupInfo> {
  return waitingOut('ArchiveUnreachable', ask, async (outage) => {
    const taken = await beating(
      () => undefined,
      async () => {
        await answers(backups, outage);
        await outage.over();
        await endOthers(ask.key);
        return takenBy(backups, ask.key);
      },
    );
    return taken ?? take(backups, ask, outage);
  });
}

/** What a killed worker has left running would hold the lock; what it has finished is not done twice. */
async function endOthers(key: string): Promise<void> {
  const left = await endProcesses(await processesWith(noteOf(key)), 30_000);
  if (left.length > 0)
    throw failure('BackupFailed', `the backup of a former attempt (pid ${left[0]?.pid}) does not end. End it by hand.`);
}

function noteOf(key: string): string {
  return `--annotation=${annotation}=${key}`;
}

async function takenBy(backups: PhysicalBackups, key: string): Promise<BackupInfo | undefined> {
  return backupsOf(await readInfo(backups)).find((one) => one.takenBy === key);
}

async function take(backups: PhysicalBackups, { type, key }: Ask, outage: Outage): Promise<BackupInfo> {
  const folder = await ownFolder(key);
  const log = join(folder, 'backup.log');
  try {
    const words = [
      ...[...base(backups), 'backup', `--type=${type}`, noteOf(key)],
      ...['--log-level-console=detail', '--log-level-stderr=off'],
    ];
    const watched = {
      marker: () => sizeOf(log),
      probe: (stop: AbortSignal) => answers(backups, { silentSeconds: outage.silentSeconds, stop }),
    };
    const { code } = await underWatch(outage, watched, (stop) =>
      runLong({ file: program, words, log, details: progressOf(), stop }),
    );
    if (code !== 0) throw refused(backups, code, await readFrom(log, 0));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const taken = await takenBy(backups, key);
  if (taken === undefined)
    throw failure(
      'BackupFailed',
      `pgbackrest backup of stanza ${backups.stanza} ended well, but the backup is not listed`,
    );
  if (taken.error)
    throw failure(
      'DataCorrupt',
      `backup ${taken.label} holds pages with wrong checksums: the live database is damaged. See pgbackrest --stanza=${backups.stanza} info --set=${taken.label}, and check the disks before anything else.`,
    );
  return taken;
}

/** For the log; that of an attempt whose worker was killed goes with it. */
async function ownFolder(key: string): Promise<string> {
  const prefix = `lifeboat-backup-${createHash('sha256').update(key).digest('hex').slice(0, 12)}-`;
  for (const name of await readdir(tmpdir()))
    if (name.startsWith(prefix)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  return mkdtemp(join(tmpdir(), prefix));
}

function refused(backups: PhysicalBackups, code: number, text: string): Error {
  const output = text
    .split('\n')
    .filter((line) => !line.includes(' DETAIL: '))
    .join('\n');
  if (code === lockHeld)
    return failure(
      'BackupFailed',
      `another backup of stanza ${backups.stanza} is going on: ${firstWords(output)}. Wait for its end.`,
    );
  return meaningOf(
    { command: 'backup', code, output, config: backups.config, stanza: backups.stanza },
    { otherwise: 'BackupFailed', damaged: 'BackupFailed' },
  );
}
