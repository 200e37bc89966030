import type { Member } from '../../plan/schema.ts';
import { preparedOn, standingOf } from '../cluster/asked.ts';
import { signalOf } from '../cluster/standby-only.ts';
import { failure } from '../failure.ts';
import { permitServerControl } from '../permit-control.ts';
import { controlData } from '../postgres/control-data.ts';
import { findLive, readyWithin } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import { startLive } from '../postgres/server-control.ts';
import type { Found } from '../shapes.ts';

interface Ask {
  member: Member;
  timeline: number;
  systemIdentifier: string;
  withinMs: number;
}

/**
 * Starts the primary in its replaced directory, as production starts it. Looked at before too: what is not the restored server is not even
 * started.
 *
 * Safe to repeat. @throws Moved another directory is in the place @throws ServerControlFailed
 */
export async function startReplaced(ask: Ask): Promise<Found & { lsn: string }> {
  const { member, timeline, withinMs } = ask;
  const controlled = await permitServerControl(member);
  const began = performance.now();
  if ((await findLive(member.dataDirectory)) === undefined) {
    const rest = await controlData(controlled.permit, member.dataDirectory);
    // One that was killed after an earlier attempt had started it comes up by itself.
    const standby = rest.state.includes('recovery') || (await exists(signalOf(member)));
    refuseOther(ask, { ...rest, standby });
  }
  await startLive(member, controlled, withinMs);
  await readyWithin(member, withinMs);
  const standing = await standingOf(member);
  refuseOther(ask, standing);
  const tookMs = Math.round(performance.now() - began);
  return {
    lsn: standing.lsn,
    found: `${member.host} is the primary on timeline ${timeline} at ${standing.lsn}, ${tookMs} ms after its start${waitingInWords(await preparedOn(member))}`,
    expected: `a primary on timeline ${timeline}, with the configuration of production`,
  };
}

/** They were waiting at the target: whoever had prepared them may have finished them since, in the history that was given up. */
function waitingInWords(prepared: readonly string[]): string {
  if (prepared.length === 0) return '';
  return `; prepared transactions wait there as they did at the target, with their locks: ${prepared.join(', ')}. Ask their transaction manager, then COMMIT PREPARED or ROLLBACK PREPARED each`;
}

function refuseOther(
  { member, timeline, systemIdentifier }: Ask,
  found: { standby: boolean; timeline: number; systemIdentifier: string },
): void {
  if (!found.standby && found.timeline === timeline && found.systemIdentifier === systemIdentifier) return;
  throw failure(
    'Moved',
    `${member.dataDirectory} on ${member.host} is ${found.standby ? 'a standby' : 'a primary'} on timeline ${found.timeline} of cluster ${found.systemIdentifier}, expected the restored primary on timeline ${timeline} of cluster ${systemIdentifier}. Find out who has changed or moved the directory.`,
  );
}
