import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo } from '../../recovery/archive.ts';
import type { Found, Patience } from '../contract.ts';
import { loadPermit, permitDataDirectory } from '../permit.ts';
import { backupKind } from './kind.ts';

/**
 * Takes a backup of the primary on this host.
 *
 * Safe to repeat: a backup that carries `key` is the one; what a killed attempt has left running is ended first.
 * @throws BackupFailed @throws DataCorrupt the backup met pages with wrong checksums @throws StoreRefused @throws NotPermitted
 */
export async function takeBackup(
  ask: { backups: PhysicalBackups; member: Member; type: BackupInfo['type']; key: string } & Patience,
): Promise<Found & { backup: BackupInfo }> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, ask.member.dataDirectory);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  const backup = await backupKind(ask.backups).backup(ask.backups, ask);
  return {
    backup,
    found: `backup ${backup.label} complete, WAL from ${backup.startWal} to ${backup.stopWal} archived`,
  };
}
