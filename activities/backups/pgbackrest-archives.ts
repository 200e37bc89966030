import { readFile } from 'node:fs/promises';
import type { PhysicalBackups } from '../../plan/schema.ts';

/**
 * What keeps an archive_command from archiving into the plan's stanza, in words that follow "its archive_command"; `undefined` when
 * nothing does. The command itself is not repeated: it may hold a key.
 */
export function archives({ stanza }: PhysicalBackups, command: string): string | undefined {
  if (command.trim() === '') return 'is empty';
  if (!/\bpgbackrest\b/.test(command) || !/\barchive-push\b/.test(command))
    return 'does something else than pgbackrest archive-push';
  const named = /--stanza[= ]['"]?([A-Za-z0-9_.-]+)/.exec(command)?.[1];
  // Without one, pgBackRest reads it from its configuration or its environment.
  return named === undefined || named === stanza ? undefined : `archives into stanza ${named}, the plan has ${stanza}`;
}

/** It refuses such a primary, unless it is told not to look (from pgBackRest 2.41 on). */
export async function backsUpArchivingAlways({ config }: PhysicalBackups): Promise<boolean> {
  const configuration = await readFile(config, 'utf8').catch(() => '');
  const said =
    process.env.PGBACKREST_ARCHIVE_MODE_CHECK ?? /^\s*archive-mode-check\s*=\s*(\S+)/m.exec(configuration)?.[1];
  return said === 'n' || said === 'N';
}
