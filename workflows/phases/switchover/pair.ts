/** The two servers that change places, as they were assessed. */
import type { Following, ServerFacts, StoppedAt } from '../../../activities/contract.ts';
import type { Member } from '../../../plan/schema.ts';
import type { Replication } from '../../../plan/server-control.ts';
import { backupsOn, reachedFrom } from '../../../plan/sites.ts';
import { slotNameFor } from '../../../recovery/switchover.ts';
import type { Run } from '../../runbook/run.ts';

export interface Pair {
  /** The primary that becomes the standby. */
  from: Member;
  /** The standby that becomes the primary. */
  to: Member;
  timeline: number;
  systemIdentifier: string;
  replication: Replication;
  /** The slot of the standby on the old primary, which nobody uses afterwards. */
  oldSlot: string | undefined;
  /** The load balancer's own check keeps the standby out: servers can be left to it. */
  checked: boolean;
  lastBackup: string;
  /** How long that one took, milliseconds. */
  lastBackupMs: number;
}

export interface Facts {
  primary: ServerFacts;
  standby: ServerFacts;
}

/** Where the change of places has led. */
export interface Moved {
  left: StoppedAt;
  timeline: number;
}

export async function factsOf(
  run: Run,
  { from, to, replication }: Pick<Pair, 'from' | 'to' | 'replication'>,
): Promise<Facts> {
  const [primary, standby] = await both(
    run.host(from.host).serverFacts({ member: from, backups: backupsOn(run.plan, from.host), replication }),
    run.host(to.host).serverFacts({ member: to, backups: backupsOn(run.plan, to.host) }),
  );
  return { primary, standby };
}

/** Both are waited for, also when one has failed: a step that is over leaves nothing at work behind it. */
export async function both<A, B>(one: Promise<A>, two: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([one, two]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}

/** How the old primary will follow the new one. */
export function following(run: Run, { from, to, replication }: Pair, { left, timeline }: Moved): Following {
  return {
    member: from,
    primary: reachedFrom(run.plan, to, from.host),
    replication,
    slot: slotNameFor(from.host),
    backups: backupsOn(run.plan, to.host),
    timeline,
    left,
  };
}
