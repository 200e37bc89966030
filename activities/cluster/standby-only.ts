/** Whether a stopped server may ever come up as a primary again: told by a file that every start reads, whoever starts it. */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import type { StoppedAt } from '../contract.ts';
import { failure } from '../failure.ts';
import { permitServerControl } from '../permit-control.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists, writeWhole } from '../postgres/scratch.ts';
import { stopLive } from '../postgres/server-control.ts';
import type { Found } from '../shapes.ts';
import { standingOf } from './asked.ts';
import { standsStill } from './stop-primary.ts';

/** @see PostgreSQL documentation, "Standby Server Operation" */
export const signalOf = ({ dataDirectory }: Pick<Member, 'dataDirectory'>): string =>
  join(dataDirectory, 'standby.signal');

/**
 * Writes standby.signal into the directory of the old primary, which stands still: from then on whoever starts it, starts a standby.
 *
 * Safe to repeat. Looked at before and after: one that was started in between may have read no signal yet.
 * @throws Moved it runs again, or has run
 */
export async function standbyOnly(ask: { member: Member; left: StoppedAt }): Promise<Found> {
  const { member } = ask;
  await standsStill(ask);
  await writeDurably(signalOf(member), '');
  const { found } = await standsStill(ask);
  return {
    found: `${found}; standby.signal is written there`,
    expected: 'a stopped server that starts only as a standby',
  };
}

/**
 * Undo: it may start as a primary again. Copes with one that somebody has started as a standby meanwhile, which is stopped.
 *
 * @throws ServerControlFailed it does not stop
 */
export async function primaryAgain({ member, withinMs }: { member: Member; withinMs: number }): Promise<Found> {
  const controlled = await permitServerControl(member);
  if (!(await exists(signalOf(member)))) return { found: `${member.host} has no standby.signal` };
  const runs = (await findLive(member.dataDirectory)) !== undefined;
  if (runs && (await standingOf(member)).standby) await stopLive(member, controlled, withinMs);
  await rm(signalOf(member), { force: true });
  await synced(member.dataDirectory);
  if (await exists(signalOf(member)))
    throw failure('Moved', `standby.signal is on ${member.host} again: find out who writes it, and remove it.`);
  return { found: `standby.signal on ${member.host} is removed: it may be the primary again` };
}

/** A signal that a crash of the machine takes back would let it come up as a primary. */
export async function writeDurably(file: string, text: string): Promise<void> {
  // One that is there already may not have reached the disk yet.
  if (text !== '' || !(await exists(file))) await writeWhole(file, text);
  await synced(file);
  await synced(join(file, '..'));
}

/** What is written, or renamed in a directory, has reached the disk. */
export async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
