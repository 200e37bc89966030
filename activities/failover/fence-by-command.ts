/** Fencing by a power switch, a hypervisor or a provider: the plan names the command, and one that reads back what it has done. */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { told } from '../application/told.ts';
import type { CommandFence } from '../contract.ts';
import { failure } from '../failure.ts';
import { loadPermit } from '../permit.ts';
import type { Found } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';

/**
 * Both are told whom they are about by LIFEBOAT_FENCE_HOST, LIFEBOAT_FENCE_ADDRESS and LIFEBOAT_FENCE_PORT. May be run twice.
 *
 * @throws NotPermitted @throws NotFenced
 */
export async function fenceByCommand(ask: CommandFence): Promise<Found> {
  await permitted(ask);
  const did = await run(ask, ask.fence, 'the command that fences it failed');
  const { found, expected } = await confirmFence(ask);
  return { found: `${ask.victim.host}: ${did}; ${found}`, ...(expected === undefined ? {} : { expected }) };
}

/** @throws NotPermitted @throws NotFenced */
export async function confirmFence(ask: CommandFence): Promise<Found> {
  await permitted(ask);
  const holds = await run(ask, ask.confirm, 'the command that reads it back does not say that it is off');
  return { found: `read back: ${holds}`, expected: `${ask.confirm.join(' ')} ends with exit code 0` };
}

/** The very words, not only the program: whoever can start a run could else cut off whom he likes. */
async function permitted({ host, victim, fence, confirm }: CommandFence): Promise<void> {
  const permit = await loadPermit();
  const allowed = permit.fences.some(
    (one) =>
      isDeepStrictEqual(one.fence, fence) && isDeepStrictEqual(one.confirm, confirm) && one.hosts.includes(victim.host),
  );
  if (allowed) return;
  const line = JSON.stringify({ hosts: [victim.host], fence, confirm });
  throw failure(
    'NotPermitted',
    `${victim.host} may not be fenced from ${host} by ${permit.file}. If it is meant, an administrator of ${host} adds the line "- ${line}" under "fences:" there.`,
  );
}

async function run({ host, victim, withinMs }: CommandFence, command: string[], otherwise: string): Promise<string> {
  const env = {
    LIFEBOAT_FENCE_HOST: victim.host,
    LIFEBOAT_FENCE_ADDRESS: victim.address,
    LIFEBOAT_FENCE_PORT: String(victim.port),
  };
  return inTemporary('fence', async (folder) => {
    const ended = await told(host, { command, withinMs, env, log: join(folder, 'said.log') });
    if (ended.good) return ended.found.found;
    throw failure('NotFenced', `${ended.why} ${victim.host} counts as not fenced: ${otherwise}. Nothing is promoted.`);
  });
}
