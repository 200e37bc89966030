import { ApplicationFailure } from '@temporalio/activity';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo, Repository } from '../../recovery/archive.ts';
import { type ArchivedFile, readArchiveListing } from '../../recovery/listing.ts';
import { withoutStrangeBackups } from '../../recovery/strange-backups.ts';
import { failure } from '../failure.ts';
import { ask } from './pgbackrest-command.ts';
import { backupsOf, newestCluster, readInfo, type Stanza } from './pgbackrest-info.ts';
import { meaningOf } from './pgbackrest-words.ts';

/** Where the tablespaces of a backup lie is asked backup by backup; nobody restores older ones than these. */
const askedForTablespaces = 12;

/** What the repository holds, read and not believed: the archive's own listing, not the first and last segment that `info` names. */
export async function repository(
  backups: PhysicalBackups,
  segmentBytes: number,
  { tablespaces } = { tablespaces: true },
): Promise<Repository> {
  const info = await readInfo(backups);
  const { folder, systemIdentifier } = knownCluster(backups, info);
  const repo = readableRepository(info);
  const files = await listArchive(backups, repo);
  const histories = await readHistories(backups, repo, files);
  const own = withoutStrangeBackups(backupsOf(info), segmentBytes);
  const listing = readArchiveListing(files, histories, segmentBytes, folder);
  return {
    backups: tablespaces ? await withTablespaces(backups, own.backups) : own.backups,
    timelines: listing.timelines,
    oddities: [...listing.oddities, ...own.oddities],
    segmentBytes,
    systemIdentifier,
  };
}

const segmentFile = /\/([0-9A-F]{24})-([0-9a-f]{40})(?:\.\w+)?$/;

export async function checksums(backups: PhysicalBackups): Promise<Map<string, string>> {
  const info = await readInfo(backups);
  const { folder } = knownCluster(backups, info);
  const files = await listArchive(backups, readableRepository(info));
  const found = files
    .filter(({ name, bytes }) => bytes > 0 && name.startsWith(`${folder}/`))
    .map(({ name }) => segmentFile.exec(name) ?? []);
  return new Map(
    found.flatMap(([, segment, checksum]) =>
      segment === undefined || checksum === undefined ? [] : [[segment, checksum]],
    ),
  );
}

export function knownCluster(backups: PhysicalBackups, info: Stanza): { folder: string; systemIdentifier: string } {
  const cluster = newestCluster(info);
  if (cluster === undefined)
    throw failure('BackupMissing', `stanza ${backups.stanza} knows no cluster; take a backup first.`);
  return cluster;
}

/** With several repositories, one that answers. */
function readableRepository(info: Stanza): string {
  const key = info.repo.find((repo) => repo.status.code === 0)?.key ?? info.repo[0]?.key ?? 1;
  return `--repo=${key}`;
}

async function listArchive(backups: PhysicalBackups, repo: string): Promise<ArchivedFile[]> {
  const text = await answer(backups, 'repo-ls', [repo, '--recurse', '--output=json', `archive/${backups.stanza}`]);
  const entries = Object.entries(JSON.parse(text) as Record<string, { type: string; size?: number }>);
  return entries.filter(([, one]) => one.type === 'file').map(([name, one]) => ({ name, bytes: one.size ?? 0 }));
}

async function readHistories(
  backups: PhysicalBackups,
  repo: string,
  files: ArchivedFile[],
): Promise<Record<string, string>> {
  const names = files.map(({ name }) => name).filter((name) => name.endsWith('.history'));
  const texts = await inTurn(names, async (name) => [
    name.slice(name.lastIndexOf('/') + 1),
    await undamaged(answer(backups, 'repo-get', [repo, `archive/${backups.stanza}/${name}`])),
  ]);
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
}

/** What is damaged is told as such by what is made of the listing; a store that does not answer is another matter. */
async function undamaged(text: Promise<string>): Promise<string | undefined> {
  try {
    return await text;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'BackupCorrupt') return undefined;
    throw error;
  }
}

async function withTablespaces(backups: PhysicalBackups, listed: BackupInfo[]): Promise<BackupInfo[]> {
  const newest = listed.slice(-askedForTablespaces).map(({ label }) => label);
  const asked = await inTurn(newest, async (label) =>
    backupsOf(await readInfo(backups, { label })).find((one) => one.label === label),
  );
  return listed.map((one) => asked.find((other) => other?.label === one.label) ?? one);
}

async function answer(backups: PhysicalBackups, command: string, words: string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(backups, command, words);
  if (code === 0) return stdout;
  throw meaningOf(
    { command, code, output: stderr, config: backups.config, stanza: backups.stanza },
    { otherwise: 'ArchiveUnreachable', damaged: 'BackupCorrupt' },
  );
}

/** One after the other: a repository under repair must not be asked by a crowd. */
async function inTurn<T, R>(all: T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (const one of all) answers.push(await ask(one));
  return answers;
}
