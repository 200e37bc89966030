/** Nothing of a standby is changed while it runs, and a primary is never stopped for it. */
import type { Member } from '../../plan/schema.ts';
import { refusePrimary, standingOf } from '../cluster/asked.ts';
import { signalOf } from '../cluster/standby-only.ts';
import { failure } from '../failure.ts';
import { type Controlled, permitServerControl } from '../permit-control.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import { stopLive } from '../postgres/server-control.ts';

const stopsWithinMs = 120_000;

/** @throws SplitBrain it runs as a primary @throws Moved it runs, and cannot be asked what it is */
export async function stopped(member: Member, primary: string): Promise<Controlled> {
  const controlled = await permitServerControl(member);
  if ((await findLive(member.dataDirectory)) === undefined) return controlled;
  await refuseRunningPrimary(member, primary);
  await stopLive(member, controlled, stopsWithinMs);
  return controlled;
}

async function refuseRunningPrimary(member: Member, primary: string): Promise<void> {
  const standing = await standingOf(member).catch(() => undefined);
  if (standing !== undefined) return refusePrimary(member.host, standing, `beside ${primary}`);
  // A standby lets nobody in before its data are consistent.
  if (await exists(signalOf(member))) return;
  throw failure(
    'Moved',
    `the server on ${member.host} runs, cannot be asked what it is, and has no standby.signal: it may be a primary that starts. Look at its log, stop it by hand, then say retry.`,
  );
}
