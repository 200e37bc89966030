import { runTool } from '../child.ts';
import { permitBackupConfiguration } from '../permit.ts';
import type { BackupKind } from './kind.ts';
import { answers } from './pgbackrest-answers.ts';
import { archives, backsUpArchivingAlways } from './pgbackrest-archives.ts';
import { backup } from './pgbackrest-backup.ts';
import { program, refuseStrangeName } from './pgbackrest-command.ts';
import { fetchInShell, fetchWal, restoreCommand } from './pgbackrest-fetch.ts';
import { checksums, repository } from './pgbackrest-repository.ts';
import { restore } from './pgbackrest-restore.ts';

export const pgbackrest: BackupKind = {
  answers,
  repository,
  checksums,
  fetchWal,
  restore,
  backup,
  fetchInShell,
  archives,
  backsUpArchivingAlways,
  restoreCommand,
  version: async () => (await runTool(program, ['version'])).stdout.trim(),
  permitted: async (permit, backups) => {
    await permitBackupConfiguration(permit, backups.config);
    refuseStrangeName('stanza', backups.stanza);
  },
};
