import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../../evidence/format.ts';
import type { Member } from '../../plan/schema.ts';
import { besideOf } from '../../recovery/rebuild.ts';
import { runLong } from '../child.ts';
import { writeDurably } from '../cluster/standby-only.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { permitServerControl } from '../permit-control.ts';
import { exists } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { lastLines } from '../tail.ts';
import { connectionTo } from './connection.ts';

/**
 * Copies the primary by pg_basebackup into a directory beside the standby's own. It is a standby's before it gets its name: what pg_basebackup
 * leaves could start as a second primary on the same timeline.
 *
 * Safe to repeat: half a copy is thrown away. @throws RestoreFailed
 * @see PostgreSQL documentation, "pg_basebackup"
 */
export async function copyPrimary(ask: Following & { run: string }): Promise<Found> {
  const { member, primary, run } = ask;
  const { permit } = await permitServerControl(member);
  const coming = besideOf(member.dataDirectory, 'coming', run);
  const signal = join(coming, 'standby.signal');
  const began = performance.now();
  if (await exists(signal)) return { found: `the copy of ${primary.host} is in ${coming} already` };
  await remove(coming);
  const { words, env } = await connectionTo(ask, undefined);
  const log = `${coming}.log`;
  const { code } = await runLong({
    file: join(permit.postgresql, 'pg_basebackup'),
    words: [
      `--pgdata=${coming}`,
      `--dbname=${words}`,
      '--wal-method=stream',
      '--checkpoint=fast',
      '--no-password',
      '--progress',
    ],
    env,
    log,
    details: (lines) => ({ line: lines.at(-1)?.split('\r').at(-1) }),
  });
  if (code !== 0)
    throw failure(
      'RestoreFailed',
      `pg_basebackup from ${primary.host} ended with ${code}: ${(await lastLines(log, 3)).join(' | ')}. See whether ${primary.host} lets role ${ask.replication.user} in for replication (pg_hba.conf), and has max_wal_senders to spare.`,
    );
  await writeDurably(signal, '');
  await rm(log, { force: true });
  return {
    found: `a copy of ${primary.host} is in ${coming}, made in ${formatDuration(performance.now() - began)}`,
    expected: 'a complete copy, that can only start as a standby',
  };
}

/** Undo. Safe to repeat. */
export async function removeCopy({ member, run }: { member: Member; run: string }): Promise<Found> {
  await permitServerControl(member);
  const coming = besideOf(member.dataDirectory, 'coming', run);
  await remove(coming);
  await rm(`${coming}.log`, { force: true });
  return { found: `${coming} is gone` };
}

async function remove(directory: string): Promise<void> {
  await beating(
    () => ({ deleting: directory }),
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  );
}
