import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { besideOf } from '../../recovery/rebuild.ts';
import { isSegmentName } from '../../recovery/segments.ts';
import { backupKind } from '../backups/kind.ts';
import { runLong } from '../child.ts';
import { makeFollower } from '../cluster/follower.ts';
import { synced, writeDurably } from '../cluster/standby-only.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { controlData } from '../postgres/control-data.ts';
import { exists } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { lastLines } from '../tail.ts';
import { copyConfiguration, saveConfiguration } from './configuration.ts';
import { connectionTo } from './connection.ts';
import { stopped } from './stopped.ts';

type Ask = Following & { run: string; fetch: string[] };
type Source = Pick<Following, 'primary' | 'replication'>;

/**
 * It does not recover the server itself: with standby.signal it could not, and without it a server could come up. It fetches nothing from
 * the archive: it reads backward, and takes whatever does not come for the end.
 */
export async function rewindCommand(
  permit: Permit,
  data: string,
  source: Source,
): Promise<{ words: string[]; env: Record<string, string> }> {
  const { words, env } = await connectionTo(source, 'postgres');
  return {
    words: [`--target-pgdata=${data}`, `--source-server=${words}`, '--no-ensure-shutdown'],
    env: { ...env, PATH: `${permit.postgresql}:${process.env.PATH ?? ''}` },
  };
}

/**
 * Rewinds a stopped server onto the line of the primary, and tells it whom to follow.
 *
 * pg_rewind replaces the configuration by the primary's, and removes standby.signal; until its last moment pg_control says that this was a
 * primary that was shut down in order. So the directory has another name meanwhile, and whoever starts the server finds none.
 * Safe to repeat: what is half done is gone on with where pg_rewind can, and else said.
 * @see PostgreSQL documentation, "pg_rewind"
 */
export async function rewind(ask: Ask): Promise<Found> {
  const { member, run, primary } = ask;
  const { dataDirectory } = member;
  const { permit } = await stopped(member, primary.host);
  const [away, saved] = [besideOf(dataDirectory, 'rewinding', run), besideOf(dataDirectory, 'saved', run)];
  if (await exists(dataDirectory)) {
    if (await exists(away))
      throw failure(
        'Moved',
        `both ${dataDirectory} and ${away} are on ${member.host}: somebody has made a data directory while this one was rewound. Find out who, and move one of them away.`,
      );
    if (await hasEnded(permit, dataDirectory)) return finished(ask, saved);
    await refuseOther(ask, permit);
    await fetchMissing(ask);
    await saveConfiguration(dataDirectory, saved);
    await rename(dataDirectory, away);
    await synced(dirname(dataDirectory));
  }
  if (!(await hasEnded(permit, away))) await rewound(ask, permit, away, saved);
  await copyConfiguration(saved, away);
  await writeDurably(join(away, 'standby.signal'), '');
  await rename(away, dataDirectory);
  await synced(dirname(dataDirectory));
  return finished(ask, saved);
}

/** Between the assessment and now people may have been asked for hours. */
async function refuseOther({ member, left }: Following, permit: Permit): Promise<void> {
  const { state, checkpoint, timeline } = await controlData(permit, member.dataDirectory);
  if (state.startsWith('shut down') && checkpoint === left.lsn && timeline === left.timeline) return;
  throw failure(
    'Moved',
    `${member.host} was left at ${left.lsn} on timeline ${left.timeline}, and is "${state}" at ${checkpoint} on timeline ${timeline} now: somebody has started it. Start again.`,
  );
}

/** pg_rewind writes pg_control last: by then it says that this is a standby which has not reached its primary yet. */
async function hasEnded(permit: Permit, data: string): Promise<boolean> {
  return (await controlData(permit, data)).state === 'in archive recovery';
}

/** A name becomes part of a path. @throws NotPermitted */
export function refuseStrange(names: readonly string[]): void {
  const strange = names.find((name) => !isSegmentName(name));
  if (strange !== undefined)
    throw failure(
      'NotPermitted',
      `${JSON.stringify(strange)} is not the name of a WAL segment: nothing is fetched under it.`,
    );
}

/** What it has archived, and removed since, of its own way back. */
async function fetchMissing({ member, backups, fetch }: Ask): Promise<void> {
  refuseStrange(fetch);
  for (const name of fetch) {
    const to = join(member.dataDirectory, 'pg_wal', name);
    if (await exists(to)) continue;
    if (!(await backupKind(backups).fetchWal(backups, name, `${to}.fetched`)))
      throw failure(
        'ArchiveGap',
        `${name}, which pg_rewind needs on ${member.host}, is not in the archive any more. Start again: the standby is then restored.`,
      );
    await rename(`${to}.fetched`, to);
  }
}

async function rewound(ask: Ask, permit: Permit, away: string, saved: string): Promise<void> {
  const { member, run } = ask;
  const log = besideOf(member.dataDirectory, 'rewinding', `${run}-log`);
  const tool = async (words: string[]): Promise<string | undefined> => {
    const { words: usual, env } = await rewindCommand(permit, away, ask);
    const { code } = await runLong({
      file: join(permit.postgresql, 'pg_rewind'),
      words: [...usual, ...words],
      env,
      log,
      details: (lines) => ({ line: lines.at(-1) }),
    });
    return code === 0
      ? undefined
      : `pg_rewind on ${member.host} ended with ${code}: ${(await lastLines(log, 3)).join(' | ')}`;
  };
  // What it does not find it does not find now: nothing is changed yet.
  const before = await tool(['--dry-run']);
  if (before !== undefined) {
    await rename(away, member.dataDirectory);
    await synced(dirname(member.dataDirectory));
    await rm(saved, { recursive: true, force: true });
    throw failure('RewindFailed', `${before}. Nothing was changed. Start again with "way": "restore".`);
  }
  const why = await tool([]);
  if (why !== undefined)
    throw failure(
      'RewindFailed',
      `${why}. What it has left lies in ${away}, and is no data directory any more: start again, the standby is then restored or copied. Its configuration is kept in ${saved}.`,
    );
  await rm(log, { force: true });
}

async function finished(ask: Ask, saved: string): Promise<Found> {
  const { found } = await makeFollower(ask);
  await rm(saved, { recursive: true, force: true });
  return {
    found: `${ask.member.host} is rewound onto the line of ${ask.primary.host}, with its own configuration; ${found}`,
    expected: 'a stopped server that can only start as a standby',
  };
}
