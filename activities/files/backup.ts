/** Files are backed up once it is known that all of them are there and can be read: restic ends well where a path is missing. */
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { incompleteTag, shortId } from '../../recovery/snapshots.ts';
import { runLong } from '../child.ts';
import type { Files } from '../contract-of-files.ts';
import { failure, finalFailure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import { readFrom } from '../tail.ts';
import { inTemporary } from '../temporary.ts';
import { ask, environmentOf, lastWords, orSayHowToInstall, parsed, program, throwFor, usualWords } from './restic.ts';
import { snapshotsOf } from './snapshots.ts';
import { bytesOf, type Tree, treeAt } from './tree.ts';

/** @throws BackupFailed names what is missing or cannot be read @throws KeyLost @throws BackupMissing there is no repository */
export async function filesReadable({ files }: { files: Files }): Promise<Found & { entries: number; bytes: number }> {
  await permitFiles(files);
  const trees = await refuseUnreadable(files);
  const snapshots = await snapshotsOf(files);
  const entries = trees.reduce((sum, { size }) => sum + size, 0);
  const bytes = trees.reduce((sum, tree) => sum + bytesOf(tree), 0);
  return {
    entries,
    bytes,
    found: `${formatNumberOf(entries, 'entry', 'entries')}, ${formatBytes(bytes)} in ${files.paths.join(', ')}; the repository opens, and holds ${formatNumberOf(snapshots.length, 'snapshot')}`,
    expected: 'every path is there and can be read, and the repository opens with its key',
  };
}

async function refuseUnreadable(files: Files): Promise<Tree[]> {
  const missing: string[] = [];
  for (const path of files.paths) if ((await lstat(path).catch(() => undefined)) === undefined) missing.push(path);
  if (missing.length > 0)
    throw cannotBackUp(
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not there on ${files.host}, expected what the plan names. Bring the files back (lifeboat start configuration-restore), or correct the plan`,
    );
  const trees = await Promise.all(
    files.paths.map(treeAt).map((tree) =>
      tree.catch((error: NodeJS.ErrnoException) => {
        throw cannotBackUp(
          `${error.path ?? files.paths.join(', ')} cannot be read on ${files.host} (${error.code ?? error.message})`,
        );
      }),
    ),
  );
  for (const [index, tree] of trees.entries()) await refuseClosed(files, files.paths[index] ?? '', tree);
  return trees;
}

async function refuseClosed(files: Files, root: string, tree: Tree): Promise<void> {
  const closed: string[] = [];
  for (const [way, { kind }] of tree)
    if ((kind === 'file' || kind === 'dir') && !(await opens(join(root, way), kind))) closed.push(join(root, way));
  if (closed.length > 0)
    throw cannotBackUp(
      `${closed.length} ${closed.length === 1 ? 'entry' : 'entries'} cannot be read by the host worker on ${files.host}, the first is ${closed[0]}. Give its user that right (docs/files.md)`,
    );
}

function cannotBackUp(why: string): Error {
  return finalFailure('BackupFailed', `${why}. Nothing was backed up.`);
}

/** By doing it: what a capability allows, no mode shows. What has gone meanwhile is no trouble. */
async function opens(path: string, kind: string): Promise<boolean> {
  try {
    if (kind === 'dir') await readdir(path);
    else await (await open(path, 'r')).close();
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/**
 * Safe to repeat: a snapshot of this tag that is whole is found, not taken again.
 *
 * @param ask.tag of the run and its component @throws BackupFailed @throws KeyLost
 */
export async function backUpFiles(wanted: {
  files: Files;
  tag: string;
}): Promise<Found & { snapshot: string; bytes: number; added: number }> {
  const { files, tag } = wanted;
  await permitFiles(files);
  await refuseUnreadable(files);
  const mine = (await snapshotsOf(files)).find(({ tags }) => tags.includes(tag) && !tags.includes(incompleteTag));
  if (mine !== undefined)
    return {
      snapshot: mine.id,
      bytes: 0,
      added: 0,
      found: `snapshot ${shortId(mine.id)} was taken by an earlier attempt`,
      expected: 'one snapshot',
    };
  return inTemporary('file-backup', (folder) => taken(wanted, join(folder, 'restic.log')));
}

async function taken(
  { files, tag }: { files: Files; tag: string },
  log: string,
): Promise<Found & { snapshot: string; bytes: number; added: number }> {
  const { env, veiled } = await environmentOf(files);
  const words = [
    'backup',
    ...usualWords(files, false),
    '--host',
    files.host,
    '--tag',
    `lifeboat,${tag}`,
    '--',
    ...files.paths,
  ];
  const details = (lines: string[]) => ({ percent: percentIn(lines.at(-1) ?? '') });
  const { code } = await orSayHowToInstall(() => runLong({ file: program, words, env, log, details }));
  const said = veiled(await readFrom(log, 0));
  const summary = said
    .split('\n')
    .map(parsed)
    .find((line) => line?.message_type === 'summary');
  const snapshot = typeof summary?.snapshot_id === 'string' ? summary.snapshot_id : undefined;
  if (code === 3) await tagIncomplete(files, snapshot);
  if (code !== 0)
    throwFor(files, { stdout: '', stderr: said }, (end) =>
      code === 3
        ? finalFailure(
            'BackupFailed',
            `some files of ${files.host} could not be read, and are missing in snapshot ${shortId(snapshot ?? 'unknown')}, which counts as incomplete: ${end}. Let the host worker read them, then back up again.`,
          )
        : failure('BackupFailed', `restic ended with exit code ${code}: ${end}.`),
    );
  return finished(files, tag, summary ?? {}, snapshot);
}

/** What restic says of itself is compared with what the repository says. */
async function finished(
  files: Files,
  tag: string,
  summary: Record<string, unknown>,
  said: string | undefined,
): Promise<Found & { snapshot: string; bytes: number; added: number }> {
  const listed = (await snapshotsOf(files)).find(
    (one) => one.tags.includes(tag) && (said === undefined || one.id.startsWith(said)),
  );
  const same = listed !== undefined && listed.paths.toSorted().join('\n') === files.paths.toSorted().join('\n');
  if (!same)
    throw failure(
      'BackupFailed',
      `restic ended well, and ${files.repository} has no snapshot of ${files.paths.join(', ')} that it made. See restic snapshots.`,
    );
  const [bytes, added] = [numberOf(summary.total_bytes_processed), numberOf(summary.data_added)];
  return {
    snapshot: listed.id,
    bytes,
    added,
    found: `snapshot ${shortId(listed.id)}: ${formatBytes(bytes)}, of which ${formatBytes(added)} new (${formatDuration(numberOf(summary.total_duration) * 1_000)})`,
    expected: `one snapshot of ${files.paths.join(', ')}`,
  };
}

/** Else it would be the newest, and be restored. */
async function tagIncomplete(files: Files, snapshot: string | undefined): Promise<void> {
  if (snapshot === undefined) return;
  const { code, stderr } = await ask(files, ['tag', '--add', incompleteTag, snapshot], { reads: false });
  if (code !== 0)
    throw failure(
      'BackupFailed',
      `files are missing in snapshot ${shortId(snapshot)} of ${files.repository}, and it could not be marked so (${lastWords(stderr)}). Remove it: restic forget ${shortId(snapshot)}.`,
    );
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function percentIn(line: string): number | undefined {
  const { percent_done } = parsed(line) ?? {};
  return typeof percent_done === 'number' ? Math.round(percent_done * 100) : undefined;
}
