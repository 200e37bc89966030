import { oneLine } from '../../evidence/render/text.ts';
import type { HostChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { inTurn } from '../in-turn.ts';
import { removeSetAside } from '../ledger/remove-set-aside.ts';
import { loadPermit, permitScratch } from '../permit.ts';
import { removeScratch } from '../postgres/remove.ts';
import { endProcesses, scratchProcessesBelow, startOf } from '../processes.ts';
import type { Found, LeftoverFound } from '../shapes.ts';
import { identityOf } from './leftovers.ts';
import { endSession, resumeReplay } from './on-servers.ts';

type Ask = Parameters<HostChanges['removeLeftovers']>[0];

/**
 * Removes exactly what was shown, and nothing in its place: each is looked at once more before it is touched. Safe to repeat; what is gone
 * is gone.
 *
 * @throws Moved something else has its name by now @throws NotPermitted @throws LitterFound it does not go
 */
export async function removeLeftovers(ask: Ask): Promise<Found> {
  const gone: string[] = [];
  for (const left of ask.leftovers) {
    await remove(left, ask);
    gone.push(left.what);
  }
  return { found: `gone: ${gone.join('; ')}`, expected: 'exactly what was shown is gone' };
}

async function remove(left: LeftoverFound, { host, members }: Ask): Promise<void> {
  if (left.host !== host) throw failure('Bug', `${left.what} is on ${left.host}, and ${host} was asked to remove it`);
  const member = members.find((one) => one.host === host);
  if (left.kind === 'directory') return removeDirectory(left, host);
  if (left.kind === 'process') return endProcess(left);
  if (member === undefined) throw failure('Bug', `${left.what}: ${host} has no server in the plan`);
  if (left.kind === 'set-aside') {
    await removeSetAside({ member, directory: left.path ?? '', identity: left.identity });
    return;
  }
  return left.kind === 'session' ? endSession(member, left) : resumeReplay(member, left);
}

async function removeDirectory(left: LeftoverFound, host: string): Promise<void> {
  const directory = left.path ?? '';
  await permitScratch(await loadPermit(), directory);
  await inTurn(async ({ scratch }) => {
    const now = await identityOf(scratch.directory);
    if (now === undefined) return;
    if (now.link || now.words !== left.identity)
      throw failure(
        'Moved',
        `${directory} on ${host} is not the one that was shown: ${now.link ? 'a link is in its place' : 'it was made anew, or taken over by another execution'}. It was not touched: look again (lifeboat sweep).`,
      );
    await removeScratch({ scratch });
  })({ scratch: { host, directory } });
}

async function endProcess(left: LeftoverFound): Promise<void> {
  const pid = left.pid ?? 0;
  // A number that was given to another process meanwhile is a stranger's: the one that was shown has ended.
  if (`${pid} ${await startOf(pid)}` !== left.identity) return;
  await refuseStrangers(left, pid);
  const [still] = await endProcesses([{ pid, command: left.what }]);
  if (still !== undefined) throw failure('LitterFound', `${left.what} on ${left.host} does not end. End it by hand.`);
}

/** Whoever can start an activity can name any process of this user, such as the live server: only what Lifeboat started below a scratch root is ended. */
async function refuseStrangers({ what, host }: LeftoverFound, pid: number): Promise<void> {
  const { scratch, file } = await loadPermit();
  const ours = (await Promise.all(scratch.map((root) => scratchProcessesBelow(root)))).flat();
  if (!ours.some((one) => one.pid === pid))
    throw failure(
      'NotPermitted',
      `process ${pid} (${oneLine(what).slice(0, 200)}) on ${host} belongs to no scratch directory that ${file} permits. It was not touched: look again (lifeboat sweep).`,
    );
}
