import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhysicalBackups } from '../../plan/schema.ts';
import { belongingTo, runLong } from '../child.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { type Outage, waitingOut } from '../outage.ts';
import { empty } from '../postgres/scratch.ts';
import { readFrom, sizeOf } from '../tail.ts';
import { underWatch } from '../under-watch.ts';
import type { Restore } from './kind.ts';
import { answers } from './pgbackrest-answers.ts';
import { base, program, refuseStrangeName, sideBySide } from './pgbackrest-command.ts';
import { readInfo } from './pgbackrest-info.ts';
import { type Done, progressOf } from './pgbackrest-progress.ts';
import { meaningOf, type Said } from './pgbackrest-words.ts';

/** Restores a backup's files; what follows them, WAL, is the server's to replay. */
export async function restore(backups: PhysicalBackups, ask: Restore): Promise<void> {
  refuseStrangeName('backup', ask.label);
  await waitingOut('ArchiveUnreachable', ask, async (outage) => {
    // The tool would be silent for minutes, and is watched for that; whether an outage is over is quicker asked.
    if (outage.lasts) {
      await beating(
        () => undefined,
        () => answers(backups, outage),
      );
      await outage.over();
    }
    await attempt(backups, ask, outage);
  });
}

async function attempt(backups: PhysicalBackups, ask: Restore, outage: Outage): Promise<void> {
  const log = join(ask.log, 'restore.log');
  const start = await sizeOf(log);
  const words = [...base(backups), 'restore', ...(await wordsOf(ask)), ...(await sideBySide(backups))];
  const env = belongingTo(ask.directory);
  const watched = {
    marker: () => sizeOf(log),
    probe: (stop: AbortSignal) => answers(backups, { silentSeconds: outage.silentSeconds, stop }),
  };
  const progress = progressOf(ask.bytes);
  let done: Done = {};
  const details = (lines: string[]) => {
    done = progress(lines);
    return done;
  };
  const { code } = await underWatch(outage, watched, (stop) =>
    runLong({ file: program, words, env, log, details, stop, throwAway: ask.throwAway, refuse: ask.refuse }),
  );
  if (code === 0) return;
  const output = (await readFrom(log, start))
    .split('\n')
    .filter((line) => !line.includes(' DETAIL: '))
    .join('\n');
  const said = { command: `restore --set=${ask.label}`, code, output, config: backups.config, stanza: backups.stanza };
  throw await whyNot(backups, ask, said);
}

async function wordsOf(ask: Restore): Promise<string[]> {
  // Without either, --delta would be refused: there is nothing to compare with.
  const begun =
    (await sizeOf(join(ask.data, 'backup.manifest'))) > 0 || (await sizeOf(join(ask.data, 'PG_VERSION'))) > 0;
  // A restore that was killed in its first moments leaves files, but nothing to compare them with: it begins anew.
  if (!begun) for (const folder of [ask.data, ask.tablespaces]) await empty(folder);
  return [
    `--set=${ask.label}`,
    // Lifeboat writes the server's recovery settings itself.
    '--type=none',
    `--pg1-path=${ask.data}`,
    `--tablespace-map-all=${ask.tablespaces}`,
    `--lock-path=${ask.lock}`,
    `--log-path=${ask.log}`,
    // A restore empties the queue of fetched segments: it must be neither that of the live server nor ours.
    `--spool-path=${join(ask.spool, 'of-the-restore')}`,
    ...(begun ? ['--delta'] : []),
    '--log-level-console=detail',
    '--log-level-stderr=off',
    '--log-level-file=off',
  ];
}

async function whyNot(backups: PhysicalBackups, ask: Restore, said: Said): Promise<Error> {
  // "no backup set found" is also what it says of a store that refuses its key: `info` tells the two apart, and throws.
  if (said.code === 75) {
    await readInfo(backups);
    return failure(
      'BackupMissing',
      `backup ${ask.label} is not in stanza ${backups.stanza} any more: it may have expired since it was chosen. Start the run again.`,
    );
  }
  const meaning = meaningOf(said, { otherwise: 'RestoreFailed', damaged: 'BackupCorrupt' });
  if (!/met damaged data/.test(meaning.message) && !missingInRepository(said)) return meaning;
  const files = await unfinished(ask.data);
  const named = files.length === 0 ? '' : ` While restoring ${files.slice(0, 4).join(' or ')}.`;
  return failure(
    'BackupCorrupt',
    `backup ${ask.label} is damaged in the repository: ${meaning.message}.${named} Take a new full backup now, restore from another one (lifeboat recovery-window), and find out what damaged it.`,
  );
}

function missingInRepository({ code, output }: Said): boolean {
  return code === 55 && /unable to open missing file .*(backup|bundle)/.test(output);
}

/**
 * Files that are there but not at their full size: pgBackRest does not name the file whose stored bytes it could not read, but it
 * writes files one after the other and stops, so that only the damaged one and those written beside it are cut short.
 */
async function unfinished(data: string): Promise<string[]> {
  const manifest = await readFile(join(data, 'backup.manifest'), 'utf8').catch(() => '');
  const cut: string[] = [];
  for (const line of sectionOf(manifest, 'target:file')) {
    const [, name, size] = /^pg_data\/(.+?)=\{.*"size":(\d+)/.exec(line) ?? [];
    if (name === undefined || size === undefined) continue;
    const there = await sizeOrAbsent(join(data, name));
    if (there !== undefined && there !== Number(size)) cut.push(name);
  }
  return cut;
}

function sectionOf(manifest: string, name: string): string[] {
  const start = manifest.indexOf(`\n[${name}]\n`);
  if (start < 0) return [];
  const rest = manifest.slice(start + name.length + 4);
  const end = rest.indexOf('\n[');
  return (end < 0 ? rest : rest.slice(0, end)).split('\n');
}

async function sizeOrAbsent(file: string): Promise<number | undefined> {
  return stat(file).then(
    ({ size }) => size,
    () => undefined,
  );
}
