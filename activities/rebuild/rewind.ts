import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import type { Replication } from '../../plan/server-control.ts';
import { besideOf } from '../../recovery/rebuild.ts';
import { runLong, runTool } from '../child.ts';
import { makeFollower } from '../cluster/follower.ts';
import { signalOf, synced, writeDurably } from '../cluster/standby-only.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { controlData } from '../postgres/control-data.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { lastLines } from '../tail.ts';
import { copyConfiguration, saveConfiguration } from './configuration.ts';
import { connectionTo } from './connection.ts';
import { stopped } from './stopped.ts';

type Source = Pick<Following, 'primary' | 'replication'>;

/**
 * It does not recover the server itself: with standby.signal it could not, and without it a server could come up. It fetches nothing from
 * the archive: it reads backward, and takes whatever does not come for the end.
 */
async function command(
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

const rehearsesWithinMs = 900_000;

/** pg_rewind says itself whether it finds its way: from the last common checkpoint on, all WAL must be in pg_wal. Writes nothing. */
export async function canRewind(ask: {
  member: Member;
  primary: Following['primary'];
  replication: Replication;
}): Promise<Found & { possible: boolean }> {
  const { member } = ask;
  const { permit } = await permitServerControl(member);
  if ((await findLive(member.dataDirectory)) !== undefined)
    return {
      possible: false,
      found: `${member.host} runs, and pg_rewind can only be rehearsed on a server that is stopped`,
    };
  const { words, env } = await command(permit, member.dataDirectory, ask);
  const { code, stdout, stderr } = await runTool(join(permit.postgresql, 'pg_rewind'), [...words, '--dry-run'], {
    env,
    withinMs: rehearsesWithinMs,
  });
  const said = `${stderr}\n${stdout}`;
  const from = /last common checkpoint at (\S+) on timeline (\d+)/.exec(said);
  if (code === 0 && from !== null)
    return {
      possible: true,
      found: `pg_rewind would begin at the last common checkpoint, ${from[1]} on timeline ${from[2]}`,
    };
  const why = said
    .split('\n')
    .filter((line) => /error|fatal|no rewind required|detail/i.test(line))
    .join(' ')
    .replaceAll('pg_rewind: ', '');
  return { possible: false, found: `pg_rewind, rehearsed, does not find its way: ${why.trim().slice(-400)}` };
}

/**
 * Rewinds a stopped server onto the line of the primary, and tells it whom to follow.
 *
 * pg_rewind replaces the configuration by the primary's, and removes standby.signal; until its last moment pg_control says that this was a
 * primary that was shut down in order. So the directory has another name meanwhile, and whoever starts the server finds none.
 * Safe to repeat: what is half done is gone on with where pg_rewind can, and else said.
 * @see PostgreSQL documentation, "pg_rewind"
 */
export async function rewind(ask: Following & { run: string }): Promise<Found> {
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
    if ((await exists(saved)) && (await exists(signalOf(member)))) return finished(ask, saved);
    await refuseOther(ask, permit);
    await saveConfiguration(dataDirectory, saved);
    await rename(dataDirectory, away);
    await synced(dirname(dataDirectory));
  }
  if (!(await exists(join(away, 'standby.signal')))) {
    await rewound(ask, permit, away);
    await copyConfiguration(saved, away);
    await writeDurably(join(away, 'standby.signal'), '');
  }
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

/** pg_control is written last, and says by then that this is a standby. */
async function rewound(ask: Following & { run: string }, permit: Permit, away: string): Promise<void> {
  const { state } = await controlData(permit, away);
  if (state === 'in archive recovery') return;
  const log = `${away}.log`;
  const { words, env } = await command(permit, away, ask);
  const { code } = await runLong({
    file: join(permit.postgresql, 'pg_rewind'),
    words: [...words, '--progress'],
    env,
    log,
    details: (lines) => ({ line: lines.at(-1) }),
  });
  if (code !== 0)
    throw failure(
      'RewindFailed',
      `pg_rewind on ${ask.member.host} ended with ${code}: ${(await lastLines(log, 3)).join(' | ')}. What it has left lies in ${away}, and is no data directory any more: start again, the standby is then restored or copied. Its configuration is kept in ${besideOf(ask.member.dataDirectory, 'saved', ask.run)}.`,
    );
  await rm(log, { force: true });
}

async function finished(ask: Following & { run: string }, saved: string): Promise<Found> {
  const { found } = await makeFollower(ask);
  await rm(saved, { recursive: true, force: true });
  return {
    found: `${ask.member.host} is rewound onto the line of ${ask.primary.host}, with its own configuration; ${found}`,
    expected: 'a stopped server that can only start as a standby',
  };
}
