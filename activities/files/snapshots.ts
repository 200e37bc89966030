/** What a repository holds. */
import { z } from 'zod';
import { chooseSnapshot, type Snapshot } from '../../recovery/snapshots.ts';
import type { Files } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { ask, parsed, throwFor } from './restic.ts';
import type { Entry, Tree } from './tree.ts';

const listed = z.array(
  z.object({
    id: z.string(),
    time: z.string(),
    paths: z.array(z.string()),
    hostname: z.string(),
    tags: z.array(z.string()).nullish(),
  }),
);

/** @throws KeyLost @throws BackupMissing no repository @throws StoreUnreachable @throws StoreRefused */
export async function snapshotsOf(files: Files): Promise<Snapshot[]> {
  const ended = await ask(files, ['snapshots'], { reads: true });
  if (ended.code !== 0)
    throwFor(files, ended, (words) => failure('BackupFailed', `restic could not list ${files.repository}: ${words}.`));
  const read = listed.safeParse(JSON.parse(ended.stdout || 'null') ?? []);
  if (!read.success)
    throw failure(
      'BackupFailed',
      `restic listed the snapshots of ${files.repository} in a form that is not known (${read.error.issues[0]?.message}). Expected restic 0.14 or newer.`,
    );
  return read.data.map(({ id, time, paths, hostname, tags }) => ({
    id,
    time: new Date(time).toISOString(),
    paths,
    host: hostname,
    tags: tags ?? [],
  }));
}

/** @throws BackupMissing says what there is instead */
export async function snapshotFor(files: Files, wanted?: string): Promise<Snapshot> {
  const { paths, host } = files;
  const chosen = chooseSnapshot(await snapshotsOf(files), { paths, host, wanted });
  if (!('none' in chosen)) return chosen;
  throw failure(
    'BackupMissing',
    `${files.repository} has no snapshot that could bring ${paths.join(', ')} of ${host} back: ${chosen.none}. See what there is: restic snapshots. Back the files up: lifeboat start file-backup.`,
  );
}

const node = z.object({
  path: z.string(),
  type: z.string(),
  size: z.number().optional(),
  mode: z.number(),
  mtime: z.string(),
  uid: z.number(),
  gid: z.number(),
});

/** A listing of millions of files takes its time. */
const listedWithinMs = 15 * 60_000;

/** What a snapshot holds below each path, by the path. @throws BackupCorrupt */
export async function treesOf(files: Files, id: string): Promise<Map<string, Tree>> {
  const ended = await ask(files, ['ls', id], { reads: true, withinMs: listedWithinMs });
  if (ended.code !== 0)
    throwFor(files, ended, (words) =>
      failure(
        'BackupCorrupt',
        `snapshot ${id.slice(0, 8)} of ${files.repository} cannot be listed: ${words}. See restic check; another snapshot may be whole.`,
      ),
    );
  const trees = new Map<string, Tree>(files.paths.map((path) => [path, new Map()]));
  for (const line of ended.stdout.split('\n')) {
    const said = parsed(line);
    if (said?.struct_type !== 'node') continue;
    const { path, ...rest } = node.parse(said);
    const root = files.paths.find((one) => path === one || path.startsWith(`${one}/`));
    if (root !== undefined) trees.get(root)?.set(path.slice(root.length), entryOf(rest));
  }
  return trees;
}

function entryOf({ type, size = 0, mode, mtime, uid, gid }: Omit<z.output<typeof node>, 'path'>): Entry {
  return { kind: type, size: type === 'file' ? size : 0, mode: modeOf(mode), changedAt: mtime, uid, gid };
}

/** Go keeps what are bits of a mode on Linux elsewhere: setuid, setgid, sticky. */
function modeOf(go: number): number {
  const special = (bit: number, as: number) => (Math.floor(go / 2 ** bit) % 2 === 1 ? as : 0);
  return (go & 0o777) | special(23, 0o4000) | special(22, 0o2000) | special(20, 0o1000);
}
