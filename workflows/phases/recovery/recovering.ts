/** What a live recovery works on, as it was assessed. */
import type { Following, LocatedTarget, Onto, Replacement, StoppedAt } from '../../../activities/contract.ts';
import type { Room, Scratch, ServiceMoment } from '../../../activities/shapes.ts';
import type { Member } from '../../../plan/schema.ts';
import type { Replication } from '../../../plan/server-control.ts';
import { backupsOn, reachedFrom } from '../../../plan/sites.ts';
import type { Anchor, BackupInfo, Repository } from '../../../recovery/archive.ts';
import { slotNameFor } from '../../../recovery/switchover.ts';
import type { PointInTimeRecoveryInput } from '../../messages.ts';
import type { Run } from '../../runbook/run.ts';
import type { Beside, Moment } from '../restore-beside.ts';
import { scratchName } from '../scratch-name.ts';

export type RecoveryRun = Run<PointInTimeRecoveryInput>;

/** The members, and what leads to them. */
export interface Servers {
  primary: Member;
  standbys: Member[];
  timeline: number;
  systemIdentifier: string;
  serverVersion: number;
  /** Hosts that the load balancer's own check keeps out: they are left to it again. */
  checked: string[];
  /** Absent where there is no standby. */
  replication?: Replication;
  /** What lies on each host, by its name, where no server is alive; absent where they are. */
  lies?: Record<string, Onto>;
}

/** Where it goes, and from what. */
export interface Way {
  /** As a person has said it. */
  said: string;
  located: LocatedTarget;
  backup: BackupInfo;
  segments: number;
  anchor: Anchor | undefined;
}

/** What is brought back, whether a server of the service can still be asked or not. */
export interface Restoring extends Servers {
  service: Moment;
  repository: Repository;
}

export interface Recovering extends Restoring {
  service: ServiceMoment;
}

/** A member, and the server beside that takes its place. */
export interface Place {
  member: Member;
  scratch: Scratch;
  /** Where the live directory is kept. */
  setAside: string;
  onto?: Onto;
}

export function membersOf({ primary, standbys }: Pick<Servers, 'primary' | 'standbys'>): Member[] {
  return [primary, ...standbys];
}

/** The second and later ones of a kind carry their number: each step has a name of its own. */
export function numbered(name: string, round: number): string {
  return round === 1 ? name : `${name} (${round})`;
}

export function placeOf(run: Run, member: Member): Place {
  const name = scratchName();
  const { host, dataDirectory, beside = run.plan.drills.monthly.directory } = member;
  return {
    member,
    scratch: { host, directory: `${beside}/${name}`, service: run.plan.service },
    setAside: `${dataDirectory}.before-${name}`,
  };
}

/** The same, with what lies there now. */
export function placeIn(run: Run, { lies }: Servers, member: Member): Place {
  const onto = lies?.[member.host];
  return { ...placeOf(run, member), ...(onto === undefined ? {} : { onto }) };
}

export function replacementOf(run: Run, place: Place): Replacement {
  return { ...place, backups: run.plan.backups.physical };
}

export const restoreStepOn = (host: string): string => `Restore the backup beside on ${host}`;

export function besideOf(run: Run, recovering: Restoring, { backup }: Way, member: Member, room: Room): Beside {
  const { service, repository } = recovering;
  return {
    scratch: placeOf(run, member).scratch,
    backup,
    room,
    service,
    ancestors: repository.timelines.find(({ id }) => id === service.timeline)?.ancestors ?? [],
    database: run.plan.database.frontDoor.database,
    step: restoreStepOn(member.host),
  };
}

/** How a standby follows the recovered primary. */
export function followingOf(
  run: Run,
  { primary, replication }: Servers,
  member: Member,
  { left, timeline }: { left: StoppedAt; timeline: number },
): Following | undefined {
  if (replication === undefined) return undefined;
  return {
    member,
    primary: reachedFrom(run.plan, primary, member.host),
    replication,
    slot: slotNameFor(member.host),
    backups: backupsOn(run.plan, primary.host),
    timeline,
    left,
  };
}

/** All are waited for, also when one has failed: a step that is over leaves nothing at work behind it. */
export async function allOf<T>(works: Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(works);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
