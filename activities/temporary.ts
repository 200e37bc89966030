import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './processes.ts';

/** A folder among the temporary files for as long as `use` lasts; what workers that were killed have left of this purpose goes first. */
export async function inTemporary<T>(purpose: string, use: (folder: string) => Promise<T>): Promise<T> {
  await removeAbandoned(purpose);
  const folder = await mkdtemp(join(tmpdir(), `lifeboat-${purpose}-${process.pid}-`));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of workers that were killed: it may hold the service's data, such as its WAL. */
export async function removeAbandoned(purpose: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^lifeboat-${purpose}-(\\d+)-`).exec(name)?.[1]);
    if (Number.isNaN(pid) || (await isAlive(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
