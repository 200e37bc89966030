/** A tree of files as a listing tells it, and how two of them differ. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Differing } from '../contract-of-files.ts';

export interface Entry {
  /** In restic's words: file, dir, symlink, fifo, ... */
  kind: string;
  /** Bytes; 0 of what is no file. */
  size: number;
  /** Permissions, with setuid, setgid and sticky. */
  mode: number;
  /** When its content was written, ISO 8601. */
  changedAt: string;
  uid: number;
  gid: number;
}

/** By the way below its root: `` is the root itself, `/conf.d/site.conf` something in it. */
export type Tree = Map<string, Entry>;

/** What lies there; empty where nothing does. Links are not followed. */
export async function treeAt(root: string): Promise<Tree> {
  const tree: Tree = new Map();
  await add(tree, root, '');
  return tree;
}

async function add(tree: Tree, root: string, way: string): Promise<void> {
  const place = join(root, way);
  const found = await lstat(place, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    // What goes while it is looked at is not there.
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found === undefined) return;
  const kind = kindOf(found);
  tree.set(way, {
    kind,
    size: kind === 'file' ? Number(found.size) : 0,
    mode: Number(found.mode & 0o7777n),
    changedAt: `${found.mtimeNs}`,
    uid: Number(found.uid),
    gid: Number(found.gid),
  });
  if (kind !== 'dir') return;
  for (const name of await readdir(place)) await add(tree, root, `${way}/${name}`);
}

function kindOf(found: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}): string {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'dir';
  if (found.isSymbolicLink()) return 'symlink';
  if (found.isFIFO()) return 'fifo';
  return found.isSocket() ? 'socket' : 'dev';
}

export interface Difference {
  /** Below the root; empty for the root itself. */
  way: string;
  how: keyof Differing;
}

/** From what is there to what would be, in the order of their names. */
export function differencesBetween(now: Tree, then: Tree): Difference[] {
  const gone = [...now.keys()].filter((way) => !then.has(way)).map((way): Difference => ({ way, how: 'removed' }));
  const other = [...then].flatMap(([way, entry]): Difference[] => {
    const before = now.get(way);
    if (before === undefined) return [{ way, how: 'added' }];
    return same(before, entry) ? [] : [{ way, how: 'changed' }];
  });
  return [...gone, ...other].sort((one, another) => (one.way < another.way ? -1 : 1));
}

/** As rsync judges: a file of the same size and time is the same. Times of directories and links change by themselves. */
function same(one: Entry, other: Entry): boolean {
  if (one.kind !== other.kind || one.uid !== other.uid || one.gid !== other.gid) return false;
  if (one.kind === 'symlink') return true;
  if (one.mode !== other.mode) return false;
  return (
    one.kind !== 'file' || (one.size === other.size && nanoseconds(one.changedAt) === nanoseconds(other.changedAt))
  );
}

/** Of a time as a listing of restic has it, or as the file system does. */
function nanoseconds(at: string): bigint {
  if (/^-?\d+$/.test(at)) return BigInt(at);
  const [, whole = '', fraction = '', offset = ''] = /^(.+?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(at) ?? [];
  return BigInt(Date.parse(`${whole}${offset}`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

export function counted(differences: readonly Difference[]): Differing {
  const count = (how: keyof Differing) => differences.filter((one) => one.how === how).length;
  return { added: count('added'), changed: count('changed'), removed: count('removed') };
}

export function bytesOf(tree: Tree): number {
  return [...tree.values()].reduce((sum, { size }) => sum + size, 0);
}

/** `3 would come, 1 would be another, nothing would go` */
export function inWords({ added, changed, removed }: Differing): string {
  if (added + changed + removed === 0) return 'the same';
  return [
    ...(added === 0 ? [] : [`${added} would come`]),
    ...(changed === 0 ? [] : [`${changed} would be another`]),
    ...(removed === 0 ? [] : [`${removed} would go`]),
  ].join(', ');
}
