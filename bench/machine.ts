/** What the numbers were measured on. */

import { readFile, realpath } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { execa } from 'execa';
import { needParts } from '../parts/parts.ts';
import { version } from '../workflows/version.ts';
import type { Machine } from './result.ts';

export async function thisMachine(folder: string): Promise<Machine> {
  const { postgresql, pgbackrest, temporal } = await needParts(
    ['postgresql', 'pgbackrest', 'temporal'],
    () => undefined,
  );
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    disk: await diskBelow(folder),
    system: `${type()} ${release()}`,
    versions: {
      PostgreSQL: postgresql.version,
      pgBackRest: pgbackrest.version,
      Temporal: temporal.version,
      Node: process.versions.node,
      Lifeboat: version,
    },
  };
}

/** As the kernel says: of a virtual machine's disk it only knows what its host tells it. */
async function diskBelow(folder: string): Promise<string> {
  const { stdout } = await execa('df', ['--output=source,fstype', folder], { reject: false });
  const [source = '', kind = ''] = (stdout.split('\n')[1] ?? '').trim().split(/\s+/);
  if (['tmpfs', 'ramfs'].includes(kind)) return 'memory';
  const device = (await realpath(source).catch(() => source)).split('/').pop() ?? '';
  const rotational = (await readFile(`/sys/class/block/${device}/queue/rotational`, 'utf8').catch(() => '')).trim();
  const spins = rotational === '0' ? ', solid state' : rotational === '1' ? ', said to rotate' : '';
  return `${kind} on ${device.startsWith('vd') ? 'a virtual disk' : device}${spins}`;
}
