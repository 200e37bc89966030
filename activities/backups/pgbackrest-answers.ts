import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Probe } from './kind.ts';
import { readInfo } from './pgbackrest-info.ts';

/** A small question of a slow store takes several of its answers. */
const answersOfOneQuestion = 10;

/** @throws ArchiveUnreachable @throws StoreRefused @throws BackupMissing */
export async function answers(backups: PhysicalBackups, { silentSeconds, stop }: Probe): Promise<void> {
  const withinMs = silentSeconds * 1_000 * answersOfOneQuestion;
  await readInfo(backups, { silentSeconds, withinMs, ...(stop === undefined ? {} : { stop }) });
}
