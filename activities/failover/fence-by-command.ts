/** Fencing by a power switch, a hypervisor or a provider: the plan names the command, and one that reads back what it has done. */
import { join } from 'node:path';
import { told } from '../application/told.ts';
import type { FailoverHostChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { loadPermit, permitCommand } from '../permit.ts';
import type { Found } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';

/**
 * Both are told whom they are about by LIFEBOAT_FENCE_HOST, LIFEBOAT_FENCE_ADDRESS and LIFEBOAT_FENCE_PORT. May be run twice.
 *
 * @throws NotPermitted @throws NotFenced
 */
export async function fenceByCommand(ask: Parameters<FailoverHostChanges['fenceByCommand']>[0]): Promise<Found> {
  const { host, victim, fence, confirm, withinMs } = ask;
  const permit = await loadPermit();
  await permitCommand(permit, fence[0] ?? '');
  await permitCommand(permit, confirm[0] ?? '');
  const env = {
    LIFEBOAT_FENCE_HOST: victim.host,
    LIFEBOAT_FENCE_ADDRESS: victim.address,
    LIFEBOAT_FENCE_PORT: String(victim.port),
  };
  return inTemporary('fence', async (folder) => {
    const run = async (command: string[], name: string, otherwise: string) => {
      const ended = await told(host, { command, withinMs, env, log: join(folder, `${name}.log`) });
      if (!ended.good)
        throw failure(
          'NotFenced',
          `${ended.why} ${victim.host} counts as not fenced: ${otherwise}. Nothing is promoted.`,
        );
      return ended.found.found;
    };
    const did = await run(fence, 'fence', 'the command that fences it failed');
    const holds = await run(confirm, 'confirm', 'the command that reads it back does not say that it is off');
    return {
      found: `${victim.host}: ${did}; read back: ${holds}`,
      expected: `${fence.join(' ')} and ${confirm.join(' ')} end with exit code 0`,
    };
  });
}
