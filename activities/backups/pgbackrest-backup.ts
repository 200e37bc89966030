import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo } from '../../recovery/archive.ts';
import { runLong } from '../child.ts';
import { failure } from '../failure.ts';
import { endProcesses, processesWith } from '../processes.ts';
import { readFrom } from '../tail.ts';
import { base, program } from './pgbackrest-command.ts';
import { annotation, backupsOf, readInfo } from './pgbackrest-info.ts';
import { progressOf } from './pgbackrest-progress.ts';
import { firstWords, meaningOf } from './pgbackrest-words.ts';

/** 50: another pgBackRest holds the stanza's lock. The lock is the kernel's, so it never outlives its holder. */
const lockHeld = 50;

export async function backup(backups: PhysicalBackups, type: BackupInfo['type'], key: string): Promise<BackupInfo> {
  const note = `--annotation=${annotation}=${key}`;
  // What a killed worker has left running would hold the lock; what it has finished is not done twice.
  const left = await endProcesses(await processesWith(note), 30_000);
  if (left.length > 0)
    throw failure('BackupFailed', `the backup of a former attempt (pid ${left[0]?.pid}) does not end. End it by hand.`);
  return (await takenBy(backups, key)) ?? (await take(backups, type, key, note));
}

async function takenBy(backups: PhysicalBackups, key: string): Promise<BackupInfo | undefined> {
  return backupsOf(await readInfo(backups)).find((one) => one.takenBy === key);
}

async function take(backups: PhysicalBackups, type: string, key: string, note: string): Promise<BackupInfo> {
  const folder = await ownFolder(key);
  const log = join(folder, 'backup.log');
  try {
    const { code } = await runLong({
      file: program,
      words: [
        ...base(backups),
        'backup',
        `--type=${type}`,
        note,
        '--log-level-console=detail',
        '--log-level-stderr=off',
      ],
      log,
      details: progressOf(),
    });
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
