/** Whether two servers may change places: what each says of itself, held against the other. Pure. */
import type { Lsn } from './archive.ts';
import { lsnDistance } from './lsn.ts';

/** What the judgement needs of a server. */
export interface Candidate {
  host: string;
  role: 'primary' | 'standby';
  timeline: number;
  history?: string;
  systemIdentifier: string;
  serverVersion: number;
  lsn: Lsn;
  receiver?: { state: string; slot?: string };
  replay?: string;
  archiving: { fit: boolean; why: string };
  archiver: { failing?: string; waiting: number };
  synchronousStandbys: string;
  slots: { name: string; kind: 'physical' | 'logical'; active: boolean }[];
  streams: { application: string; state: string; slot?: string }[];
  room: { wal: number; senders: number; slots: number };
  prepared: number;
  freeBytes: number;
}

/** What speaks against promoting a standby whose primary is gone; empty when nothing does. */
export function objectionsToPromotion(standby: Candidate): string[] {
  return [...pausedReplay(standby), ...canTakeOver(standby)];
}

/** At its stop a primary archives all that waits before it ends: more than this would be felt. */
const mostWaiting = 3;

/** What speaks against a switch from `primary` to `standby`, one sentence each, with what to do about it; empty when nothing does. */
export function objections(primary: Candidate, standby: Candidate): string[] {
  return [...samePast(primary, standby), ...followsIt(primary, standby), ...canTakeOver(standby), ...canStop(primary)];
}

function samePast(primary: Candidate, standby: Candidate): string[] {
  const both = (what: string, one: string | number, other: string | number) =>
    `${standby.host} ${what} ${other}, ${primary.host} ${one}`;
  if (primary.systemIdentifier !== standby.systemIdentifier)
    return [
      `${both('is of cluster', primary.systemIdentifier, standby.systemIdentifier)}: one is no copy of the other. Correct database.members in the plan`,
    ];
  if (primary.timeline !== standby.timeline)
    return [
      `${both('is on timeline', primary.timeline, standby.timeline)}: it follows another branch. Rebuild it from a backup`,
    ];
  if (primary.history !== undefined && standby.history !== undefined && primary.history !== standby.history)
    return [
      `both are on timeline ${primary.timeline}, but the history files of ${primary.host} and ${standby.host} differ: they took the same number for different forks. Find out which one is right, and rebuild the other`,
    ];
  if (major(primary) !== major(standby))
    return [`${both('runs PostgreSQL', major(primary), major(standby))}. Switch between servers of one major version`];
  return [];
}

function major({ serverVersion }: Candidate): number {
  return Math.floor(serverVersion / 10_000);
}

function followsIt(primary: Candidate, { host, receiver, replay }: Candidate): string[] {
  if (receiver?.state !== 'streaming')
    return [`${host} does not stream from its primary (${receiver?.state ?? 'no WAL receiver'}). See its log`];
  const paused = pausedReplay({ host, replay });
  if (paused.length > 0) return paused;
  const { slot } = receiver;
  const known = slot === undefined ? primary.streams : primary.streams.filter((one) => one.slot === slot);
  if (known.every(({ state }) => state !== 'streaming'))
    return [
      `${host} streams${slot === undefined ? '' : ` by slot ${slot}`}, but not from ${primary.host}, which knows of no such stream. Let it follow the primary itself`,
    ];
  return [];
}

/** What speaks against a standby whose replay somebody has stopped; empty when nothing does. */
export function pausedReplay({ host, replay }: Pick<Candidate, 'host' | 'replay'>): string[] {
  return replay === 'not paused'
    ? []
    : [`replay on ${host} is "${replay}", which somebody has asked for: select pg_wal_replay_resume() on it`];
}

function canTakeOver({ host, archiving, synchronousStandbys, room, freeBytes }: Candidate): string[] {
  return [
    // While the old primary is away its slot keeps all WAL.
    ...(freeBytes > room.wal
      ? []
      : [`${host} has less room than its pg_wal takes now, and keeps WAL until the old primary is back. Make room`]),
    ...(archiving.fit ? [] : [`as the primary ${host} would not archive: ${archiving.why}. Correct it first`]),
    // Its first commit would wait for a standby that is not there yet, for ever.
    ...(synchronousStandbys.trim() === ''
      ? []
      : [
          `${host} has synchronous_standby_names = '${synchronousStandbys}': once it is the primary, commits would wait for a standby that does not stream yet. Empty it on ${host} and reload`,
        ]),
    ...(room.senders < 1 || room.slots < 1
      ? [`${host} lets no standby connect (max_wal_senders ${room.senders}, max_replication_slots ${room.slots})`]
      : []),
  ];
}

function canStop({ host, archiver, prepared }: Candidate): string[] {
  return [
    ...(archiver.failing === undefined
      ? []
      : [
          `${host} cannot archive (it fails with ${archiver.failing}), and would not end before it has: mend that first`,
        ]),
    ...(archiver.waiting <= mostWaiting
      ? []
      : [
          `${archiver.waiting} files of ${host} wait for the archive, and it would not end before they are there: wait until its archiver has caught up`,
        ]),
    ...(prepared === 0
      ? []
      : [
          `${prepared} prepared transactions are open on ${host}: their locks would go along. Commit or roll them back (pg_prepared_xacts)`,
        ]),
  ];
}

/** Bytes that the standby has not replayed yet; it was asked at about the same time. */
export function lagBytes(primary: Pick<Candidate, 'lsn'>, standby: Pick<Candidate, 'lsn'>): number {
  return Math.max(0, lsnDistance(standby.lsn, primary.lsn));
}

/** A slot's name by the host that it is for: lower-case letters, digits and underscores are all that PostgreSQL takes. */
export function slotNameFor(host: string): string {
  return host.replace(/[^a-z0-9_]/g, '_');
}
