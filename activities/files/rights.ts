/** Whether this worker could put files back as they were: by its user, or by what its user may do besides (capabilities). Reads only. */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import type { Tree } from './tree.ts';

/** Bits of CapEff in /proc/self/status, capabilities(7). */
const chown = 0;
const dacOverride = 1;
const fowner = 3;

async function capabilities(): Promise<(bit: number) => boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, hex] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  // Elsewhere root may do everything, and nobody else anything.
  if (hex === undefined) return () => process.geteuid?.() === 0;
  const all = BigInt(`0x${hex}`);
  return (bit) => ((all >> BigInt(bit)) & 1n) === 1n;
}

/** `access` asks for the user alone: what a capability allows besides, it does not know. */
export async function mayWriteIn(folder: string): Promise<boolean> {
  if ((await capabilities())(dacOverride)) return true;
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Whether every owner and mode of the tree could be set; says the first that could not. */
export async function unsettableIn(tree: Tree): Promise<string | undefined> {
  const has = await capabilities();
  const [user, groups] = [process.geteuid?.() ?? 0, [process.getegid?.() ?? 0, ...(process.getgroups?.() ?? [])]];
  for (const [way, { uid, gid }] of tree) {
    if (!has(chown) && (uid !== user || !groups.includes(gid)))
      return `${way === '' ? 'it' : way.slice(1)} belongs to user ${uid} and group ${gid}`;
    if (!has(fowner) && uid !== user)
      return `the mode of ${way === '' ? 'it' : way.slice(1)}, which belongs to user ${uid}`;
  }
  return undefined;
}
