import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const gigabyte = 1024 ** 3;

/** Makes the demo's folder where there is room for two servers, their backups and a restored third one. */
export async function makeRoom(bytesNeeded: number): Promise<string> {
  // Not /tmp first: it often is memory. Not below a home: the database's account could not enter it.
  const candidates = [...new Set(['/var/tmp', '/tmp', tmpdir()])];
  const seen: string[] = [];
  for (const directory of candidates) {
    const free = await freeBytes(directory);
    if (free >= bytesNeeded) return mkdtemp(join(directory, 'lifeboat-demo-'));
    seen.push(`${directory} has ${(free / gigabyte).toFixed(1)} GB`);
  }
  const needed = (bytesNeeded / gigabyte).toFixed(1);
  throw new Error(
    `the demo needs ${needed} GB of room: ${seen.join(', ')}. Make room, or ask for less with --orders 20000`,
  );
}

async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
