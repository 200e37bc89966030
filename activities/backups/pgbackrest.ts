import { runTool } from '../child.ts';
import { permitBackupConfiguration } from '../permit.ts';
import type { BackupKind } from './kind.ts';
import { answers } from './pgbackrest-answers.ts';
import { backup } from './pgbackrest-backup.ts';
import { program } from './pgbackrest-command.ts';
import { fetchInShell, fetchWal } from './pgbackrest-fetch.ts';
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
  version: async () => (await runTool(program, ['version'])).stdout.trim(),
  permitted: (permit, backups) => permitBackupConfiguration(permit, backups.config),
};
