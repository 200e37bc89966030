/** The old primary on its way back: a standby of the new one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { withoutRecovery } from '../../recovery/server-configuration.ts';
import { backupKind } from '../backups/kind.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { type Controlled, permitServerControl } from '../permit-control.ts';
import { controlData } from '../postgres/control-data.ts';
import { socketOf } from '../postgres/live-member.ts';
import { atRest, findLive, readyWithin } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import { startLive, stopLive } from '../postgres/server-control.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import { resolveSecret } from '../secrets.ts';
import type { Found } from '../shapes.ts';
import { refusePrimary, standingOf } from './asked.ts';
import { signalOf, writeDurably } from './standby-only.ts';

/** Milliseconds. Nobody waits for it: the service writes on the new primary. */
const stopsWithinMs = 60_000;

/**
 * Writes whom to follow into postgresql.auto.conf, and standby.signal where it is not there yet, while the server is stopped.
 *
 * Safe to repeat; one that follows already is left alone. A standby that follows nobody, because somebody has started it by hand, is
 * stopped for it.
 * @throws SplitBrain it runs as a primary @throws Diverged it has written since it was left @throws SecretMissing
 */
export async function makeFollower(ask: Following): Promise<Found> {
  const { member, primary } = ask;
  const controlled = await permitServerControl(member);
  const settings = await settingsOf(ask);
  if ((await findLive(member.dataDirectory)) !== undefined) {
    refusePrimary(member.host, await standingOf(member), `while ${primary.host} was promoted in its place`);
    if (await follows(member, settings))
      return { found: `${member.host} runs as a standby of ${primary.host} already` };
    await stopLive(member, controlled, stopsWithinMs);
  }
  await refuseDiverged(ask, controlled);
  // First the signal: between the two it is a standby that follows nobody, and never a second primary.
  await writeDurably(signalOf(member), '');
  const auto = join(member.dataDirectory, 'postgresql.auto.conf');
  const before = await readFile(auto, 'utf8').catch(() => '');
  // A target that was left from a recovery would hold the standby there.
  await writeDurably(auto, withSettings(withoutRecovery(before, { staysStandby: true }), settings));
  return {
    found: `${member.host} will start as a standby of ${primary.host} (${primary.address}:${primary.port}, slot ${ask.slot})`,
    expected: 'a stopped server that can only start as a standby',
  };
}

/** What it has read at its start, not what its files say now. */
async function follows(member: Member, wanted: Record<string, string>): Promise<boolean> {
  const { place } = await socketOf(member);
  const now = await withSession(place, 'postgres', 'follows', (client) =>
    one(client, "select current_setting('primary_conninfo') as primary, current_setting('primary_slot_name') as slot"),
  );
  return now.primary === wanted.primary_conninfo && now.slot === wanted.primary_slot_name;
}

async function refuseDiverged({ member, left, primary }: Following, { permit }: Controlled): Promise<void> {
  if (await hasWrittenNothing(permit, member.dataDirectory)) return;
  const rest = await atRest(permit, member);
  if (rest.checkpoint === left.lsn && rest.timeline === left.timeline) return;
  throw failure(
    'Diverged',
    `${member.host} was left at ${left.lsn} on timeline ${left.timeline}, and ends at ${rest.checkpoint} on timeline ${rest.timeline} now: somebody has started it as a primary since, beside ${primary.host}. It is stopped now, and ${primary.host} goes on. What ${member.host} has written is nowhere else: keep a copy of its data directory, compare, then rebuild it.`,
  );
}

/**
 * Whether the server in a directory, which does not run, has written nothing of its own. One that was stopped, or has died, as a standby may
 * stand anywhere on the way; a restored one has not begun.
 */
async function hasWrittenNothing(permit: Permit, dataDirectory: string): Promise<boolean> {
  const { state } = await controlData(permit, dataDirectory);
  if (state === 'shut down in recovery' || state === 'in archive recovery') return true;
  return exists(join(dataDirectory, 'backup_label'));
}

/** Read last by the server, so that they hold whatever its own configuration says. */
export async function settingsOf({
  member,
  primary,
  replication,
  slot,
  backups,
  line,
}: Following): Promise<Record<string, string>> {
  const { user, passfile, password, options } = replication;
  const words: Record<string, string> = {
    host: primary.address,
    port: String(primary.port),
    user,
    ...(passfile === undefined ? {} : { passfile }),
    ...(password === undefined ? {} : { password: await resolveSecret(password) }),
    ...options,
    application_name: member.host,
  };
  return {
    primary_conninfo: Object.entries(words)
      .map(([name, value]) => `${name}=${connectionWord(value)}`)
      .join(' '),
    primary_slot_name: slot,
    restore_command: backupKind(backups).restoreCommand(backups, member.dataDirectory),
    recovery_target_timeline: line ?? 'latest',
  };
}

/** @see PostgreSQL documentation, "Keyword/Value Connection Strings" */
function connectionWord(value: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
}

export function withSettings(text: string, settings: Record<string, string>): string {
  const kept = text
    .split('\n')
    .filter((line) => !Object.hasOwn(settings, /^\s*([A-Za-z_]+)\s*=/.exec(line)?.[1]?.toLowerCase() ?? ''));
  while (kept.at(-1) === '') kept.pop();
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return [...kept, ...lines, ''].join('\n');
}

const question = `
  select pg_is_in_recovery()::text as standby,
    (select status from pg_stat_wal_receiver limit 1) as receiver,
    (select received_tli from pg_stat_wal_receiver limit 1)::text as receiving,
    pg_last_wal_replay_lsn()::text as lsn`;

/**
 * Starts the old primary as a standby, and waits until it streams on the new timeline.
 *
 * Safe to repeat.
 * @throws SplitBrain it runs as a primary @throws StandbyUnfit it does not stream in time @throws ServerControlFailed
 */
export async function startFollower(ask: Following & { withinMs: number }): Promise<Found & { lsn: string }> {
  const { member, primary, timeline, left, withinMs } = ask;
  const controlled = await permitServerControl(member);
  const began = performance.now();
  if (!(await exists(signalOf(member)))) await makeFollower(ask);
  await startLive(member, controlled, withinMs);
  await readyWithin(member, withinMs);
  refusePrimary(member.host, await standingOf(member), `beside ${primary.host}`);
  const { place } = await socketOf(member);
  return withSession(place, 'postgres', 'follower', async (client) => {
    for (;;) {
      const row = await one(client, question);
      if (followsOn(row, timeline) && row.lsn != null && compareLsn(row.lsn, left.lsn) > 0) {
        // Its control file says the new timeline from then on, which is all that a role without rights sees of it.
        await client.query('checkpoint');
        return {
          lsn: row.lsn,
          found: `${member.host} streams from ${primary.host} on timeline ${timeline}, replayed up to ${row.lsn}, ${Math.round(performance.now() - began)} ms after its start`,
          expected: `a standby that streams on timeline ${timeline}`,
        };
      }
      if (performance.now() - began > withinMs)
        throw failure(
          'StandbyUnfit',
          `${member.host} does not stream on timeline ${timeline} ${withinMs / 1000} s after its start: its receiver is ${row.receiver ?? 'not there'}${row.receiving == null ? '' : `, on timeline ${row.receiving}`}. See its log; ${primary.host} serves meanwhile.`,
        );
      await pause(50, { starting: member.host });
    }
  });
}

function followsOn({ standby, receiver, receiving }: Row, timeline: number): boolean {
  return standby === 'true' && receiver === 'streaming' && Number(receiving) === timeline;
}
