/** A vantage point of its own: the host of a standby, which reaches the primary by another way than the control worker. */
import { join } from 'node:path';
import { execa } from 'execa';
import type { ReachedServer } from '../../plan/sites.ts';
import { toolEnvironment } from '../child.ts';
import type { FailoverHostReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

// Milliseconds between two looks; seconds that a server is given for an answer.
const everyMs = 1_000;
const answerSeconds = 2;
/** A standby asks for a sign of life at least so often (wal_receiver_status_interval). Milliseconds. */
const quietMs = 12_000;

/** As pg_isready tells it. @see PostgreSQL documentation, "pg_isready" */
const words: Record<number, string> = {
  0: 'takes connections',
  1: 'answers, and takes no connections yet',
  2: 'does not answer',
};

/** @throws DatabaseUnreachable the standby itself cannot be asked */
export async function primarySeenFrom(
  ask: Parameters<FailoverHostReads['primarySeenFrom']>[0],
): Promise<Found & { answers: boolean; receives: boolean }> {
  const { member, primary, withinMs } = ask;
  const { place, permit } = await socketOf(member);
  return withSession(place, 'postgres', 'seen-from', async (client) => {
    const deadline = performance.now() + withinMs;
    const before = await one(client, received);
    for (let looks = 1; ; looks += 1) {
      const code = await isReady(permit, primary);
      if (words[code] === undefined)
        throw failure(
          'NotPermitted',
          `pg_isready on ${member.host} cannot look for ${primary.host} at ${primary.address}:${primary.port} (exit code ${code}): who cannot look has seen nothing. See "postgresql:" in the permit file, and the address in the plan.`,
        );
      const answers = code === 0 || code === 1;
      const now = await one(client, received);
      const receives = now.status === 'streaming' && (now.lsn !== before.lsn || now.heard !== before.heard);
      // A primary with nothing to send says so every few seconds; one that is cut off keeps the status for a while.
      const enough = deadline + (now.status === 'streaming' ? quietMs : 0);
      if (answers || receives || performance.now() >= enough)
        return {
          answers,
          receives,
          found: `from ${member.host}, ${primary.host} at ${primary.address}:${primary.port} ${words[code]}, looked at ${looks} times; the standby there ${receives ? 'still receives from it' : `receives nothing (${now.status ?? 'no WAL receiver'}, up to ${now.lsn ?? 'nowhere'})`}`,
          expected: 'no answer, and nothing received',
        };
      await pause(everyMs, { looks });
    }
  });
}

const received = `select pg_last_wal_receive_lsn()::text as lsn,
  (select last_msg_receipt_time from pg_stat_wal_receiver limit 1)::text as heard,
  (select status from pg_stat_wal_receiver limit 1) as status`;

/** It needs neither a role nor a password. */
async function isReady({ postgresql }: Permit, { address, port }: ReachedServer): Promise<number> {
  const asked = await execa(
    join(postgresql, 'pg_isready'),
    [`--host=${address}`, `--port=${port}`, `--timeout=${answerSeconds}`],
    { env: toolEnvironment(), extendEnv: false, reject: false, stdin: 'ignore', timeout: (answerSeconds + 3) * 1_000 },
  );
  // What hangs without an answer of its own is no answer.
  return asked.timedOut ? 2 : (asked.exitCode ?? 3);
}
