/** A vantage point of its own: the host of a standby, which reaches the primary by another way than the control worker. */
import { join } from 'node:path';
import { execa } from 'execa';
import { toolEnvironment } from '../child.ts';
import type { FailoverHostReads, Reached } from '../contract.ts';
import { pause } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

// Milliseconds between two looks; seconds that a server is given for an answer.
const everyMs = 1_000;
const answerSeconds = 2;

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
      const answers = code === 0 || code === 1;
      const now = await one(client, received);
      const receives = now.lsn !== before.lsn && now.status === 'streaming';
      if (answers || receives || performance.now() >= deadline)
        return {
          answers,
          receives,
          found: `from ${member.host}, ${primary.host} at ${primary.address}:${primary.port} ${words[code] ?? `cannot be asked (pg_isready says ${code})`}, looked at ${looks} times; the standby there ${receives ? 'still receives from it' : `receives nothing (${now.status ?? 'no WAL receiver'}, up to ${now.lsn ?? 'nowhere'})`}`,
          expected: 'no answer, and nothing received',
        };
      await pause(everyMs, { looks });
    }
  });
}

const received = `select pg_last_wal_receive_lsn()::text as lsn,
  (select status from pg_stat_wal_receiver limit 1) as status`;

/** It needs neither a role nor a password. */
async function isReady({ postgresql }: Permit, { address, port }: Reached): Promise<number> {
  const asked = await execa(
    join(postgresql, 'pg_isready'),
    [`--host=${address}`, `--port=${port}`, `--timeout=${answerSeconds}`],
    { env: toolEnvironment(), extendEnv: false, reject: false, stdin: 'ignore', timeout: (answerSeconds + 3) * 1_000 },
  );
  // What hangs without an answer of its own is no answer.
  return asked.timedOut ? 2 : (asked.exitCode ?? 3);
}
