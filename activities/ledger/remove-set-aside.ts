/** The end of what a recovery has set aside: once a person has accepted the recovery, or the plan keeps it no longer. */
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { identityOfSetAside } from '../../evidence/set-aside.ts';
import type { LedgerHostChanges } from '../contract-of-ledger.ts';
import { syncDirectory } from '../evidence/directory.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { controlData } from '../postgres/control-data.ts';
import type { Found } from '../shapes.ts';
import { rowsKept } from './keep.ts';
import { foundAt, permitSetAside, refuseRunning } from './set-aside.ts';

/** Its removal has begun: what is there no longer knows what it was. */
export const halfGone = '.removing';

/**
 * Probe: is it there, and still the one that was shown? Act: out of its name first, so that half of a data directory never stands where a
 * whole one is expected; then gone. Verify: neither name is there.
 */
export async function removeSetAside(ask: Parameters<LedgerHostChanges['removeSetAside']>[0]): Promise<Found> {
  const { directory, member, identity } = ask;
  const { host } = member;
  const permit = await permitSetAside(ask);
  const half = directory.endsWith(halfGone) ? directory : `${directory}${halfGone}`;
  const [inode] = identity.split(' ');
  const whole = half === directory ? undefined : await foundAt(directory, host);
  if (whole !== undefined) {
    await refuseRunning(directory, host);
    const now = await identityNow(permit, directory, whole.inode);
    if (now !== identity) throw another(directory, host, { now, identity });
    if ((await foundAt(half, host)) !== undefined)
      throw failure('Moved', `${half} on ${host} is there besides ${directory}; expected one of them. Look at both.`);
    await rename(directory, half);
    await syncDirectory(dirname(directory));
  }
  const rest = await foundAt(half, host);
  if (rest !== undefined) {
    if (rest.inode !== inode) throw another(half, host, { now: rest.inode, identity });
    await beating(
      () => ({ deleting: half }),
      () => rm(half, { recursive: true, force: true, maxRetries: 3 }),
    ).catch((error: Error) => {
      throw failure('LitterFound', `${half} on ${host} cannot be deleted: ${error.message}. Delete it by hand.`, error);
    });
  }
  for (const name of [directory, half])
    if ((await foundAt(name, host)) !== undefined)
      throw failure('LitterFound', `${name} on ${host} is there again; expected it to be gone. Look at it.`);
  return { found: `${directory} on ${host} is gone`, expected: 'what was set aside is gone' };
}

/** Rows that were kept beside are no data directory: no more is known of them than their inode. */
async function identityNow(permit: Permit, directory: string, inode: string): Promise<string> {
  if (directory.endsWith(rowsKept)) return inode;
  const { checkpoint, systemIdentifier, timeline } = await controlData(permit, directory);
  return identityOfSetAside({ inode, systemIdentifier, timeline, lsn: checkpoint });
}

function another(directory: string, host: string, { now, identity }: { now: string; identity: string }): Error {
  return failure(
    'Moved',
    `${directory} on ${host} is not the one that was shown (${now}, expected ${identity}): another is in its place, or somebody has started it. It was not touched: look again.`,
  );
}
