/** The directory that stands in for the store while it is down. A crash at any line leaves whole files or none. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files appear whole and are on the disk when this returns. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  const beside = `${path}.${process.pid}.new`;
  try {
    const file = await open(beside, 'w', 0o640);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    // On a disk that is full, half a file would take the room of the next try.
    await rm(beside, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** A name in a directory is durable once the directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Contents of all files below `root/folder` whose name ends so; none when the folder is not there. */
export async function filesBelow(root: string, folder: string, ending: string): Promise<Uint8Array[]> {
  const from = join(root, folder);
  try {
    const entries = await readdir(from, { recursive: true, withFileTypes: true });
    const wanted = entries.filter((one) => one.isFile() && one.name.endsWith(ending));
    return await Promise.all(wanted.map((one) => readFile(join(one.parentPath, one.name))));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) return [];
    throw error;
  }
}
