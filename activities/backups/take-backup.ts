import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import { loadPermit, permitDataDirectory } from '../permit.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found, Patience } from '../shapes.ts';
import { backupKind } from './kind.ts';

/**
 * Takes a backup of the primary on this host.
 *
 * Safe to repeat: a backup that carries `key` is the one; what a killed attempt has left running is ended first.
 * @throws NotPrimary the roles were swapped since the assessment @throws DatabaseUnreachable
 * @throws BackupFailed @throws DataCorrupt the backup met pages with wrong checksums @throws StoreRefused @throws NotPermitted
 */
export async function takeBackup(
  ask: { backups: PhysicalBackups; member: Member; type: BackupInfo['type']; key: string } & Patience,
): Promise<Found & { backup: BackupInfo; clockAheadMs: number }> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, ask.member.dataDirectory);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  const clockAheadMs = await refuseStandby(ask.member);
  const backup = await backupKind(ask.backups).backup(ask.backups, ask);
  return {
    backup,
    clockAheadMs,
    found: `backup ${backup.label} complete, WAL from ${backup.startWal} to ${backup.stopWal} archived`,
  };
}

/**
 * Said before the backup tool searches in vain; a server that hangs is noticed here, in seconds.
 *
 * @returns how far the clock of this host is ahead of the database's, milliseconds; the backup itself is stamped by the database's
 */
async function refuseStandby(member: Member): Promise<number> {
  const { place } = await socketOf(member);
  const { standby, at, asked, answered } = await withSession(place, 'postgres', 'backup', async (client) => {
    const asked = Date.now();
    const row = await one(
      client,
      `select pg_is_in_recovery()::text as standby, (extract(epoch from clock_timestamp()) * 1000)::text as at`,
    );
    return { standby: row.standby, at: row.at, asked, answered: Date.now() };
  });
  if (standby === 'true')
    throw failure(
      'NotPrimary',
      `${member.host} is a standby by now, though it was the primary when the run began: the roles were swapped meanwhile. Nothing was backed up; take the backup again.`,
    );
  return Math.round((asked + answered) / 2 - Number(at));
}
