import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { ControlReads, HostReads } from '../activities/contract.ts';
import type { ServiceMoment } from '../activities/shapes.ts';
import type { Plan } from '../plan/schema.ts';
import type { Anchor, BackupInfo, Lsn, Repository, TimelineInfo } from '../recovery/archive.ts';
import { diagnose, type Finding, type Writer } from '../recovery/diagnosis.ts';
import { contains, heldWithin, neededEver, segmentsWorthReading } from '../recovery/needed.ts';
import { recoveryWindow } from '../recovery/window.ts';
import { answering } from './answering.ts';
import { controlQueue, hostQueue, type RunInput } from './messages.ts';
import { failureOf } from './runbook/failure.ts';
import { activities } from './runbook/step.ts';

export interface ArchiveInput extends Pick<RunInput, 'service'> {
  /** Reads every segment that a recovery can need, whole. */
  deep?: boolean;
}

/** A branch of the tree: a timeline, and what can be recovered up to its end. */
export interface Branch extends TimelineInfo {
  /** When the server was promoted, UTC, where its first segment tells it. */
  promotedAt?: string;
  window: {
    from?: { at: string; lsn: Lsn; label: string };
    to?: { segment: string; lsn: Lsn };
    gaps: string[];
  };
}

/** A WAL archive as it was found. Times in UTC. */
export interface ArchiveResult {
  service: string;
  stanza: string;
  config: string;
  systemIdentifier: string;
  segmentBytes: number;
  /** On which it writes now; when the service does not answer, the newest one in the archive. */
  timeline: number;
  /** Absent when it does not answer. */
  lsn?: Lsn;
  /** Why it does not. */
  silent?: string;
  branches: Branch[];
  backups: Pick<BackupInfo, 'label' | 'type' | 'stoppedAt' | 'stopLsn' | 'timeline' | 'error' | 'bytes'>[];
  anchors: Pick<Anchor, 'at' | 'lsn' | 'timeline'>[];
  read: { segments: number; of: number; wholly: boolean };
  findings: Finding[];
  /** What could not be looked at. */
  notes: string[];
}

// Somebody sits before the screen: what does not answer now is said now.
const waits = { startToCloseMs: 300_000, heartbeatMs: 20_000, answerWithinMs: 60_000, attempts: 2 };
/** Terabytes are read at the store's pace. */
const deepMs = 24 * 3_600_000;
/** PostgreSQL's own size, for an archive that holds no segment to tell it. */
const usualSegmentBytes = 16 * 1024 * 1024;

/** Looks, and changes nothing; not a runbook. Needs no service: it is asked most when there is none. */
export async function archive(input?: ArchiveInput): Promise<ArchiveResult> {
  return answering('archive', 'What the archive holds', async () => {
    const control = activities<ControlReads>({ taskQueue: controlQueue, ...waits });
    const { plan } = await control.loadPlan(input?.service === undefined ? {} : { service: input.service });
    return look(plan, control, input?.deep === true);
  });
}

async function look(plan: Plan, control: ControlReads, wholly: boolean): Promise<ArchiveResult> {
  const ways = { taskQueue: hostQueue(plan.drills.monthly.host), ...waits };
  const host = activities<HostReads>(ways);
  const reader = activities<HostReads>({ ...ways, ...(wholly ? { startToCloseMs: deepMs } : {}) });
  const backups = plan.backups.physical;
  const directory = `${plan.drills.monthly.directory}/${workflowInfo().runId}`;
  const scratch = { host: plan.drills.monthly.host, directory };
  const frontDoor = plan.database.frontDoor;
  const before = await answered(() => control.serviceMoment({ frontDoor }));
  const segmentBytes = before.answer?.segmentBytes ?? (await host.segmentSize({ backups, scratch })).segmentBytes;
  const { found: _words, ...repository } = await host.repository({
    backups,
    segmentBytes: segmentBytes ?? usualSegmentBytes,
  });
  const stored = await answered(() => control.listAnchors({ store: plan.evidence, service: plan.service }));
  const anchors = stored.answer?.anchors ?? [];
  // Asked again: what is archived meanwhile must not look as if it came from somebody else.
  const { answer: service, why: silent } = before.answer
    ? await answered(() => control.serviceMoment({ frontDoor }))
    : before;
  const timeline = service?.timeline ?? newestTimeline(repository);
  const needed = neededEver(repository, timeline);
  const worth = segmentsWorthReading(repository, timeline)
    .filter((name) => !wholly || !contains(needed, name, repository.segmentBytes))
    .map((name) => ({ first: name, last: name }));
  const { read, faults, promotions } = await reader.readSegments({
    backups,
    scratch,
    known: knownOf(repository),
    segments: wholly ? [...heldWithin(repository, needed), ...worth] : worth,
    wholly,
  });
  return {
    service: plan.service,
    stanza: backups.stanza,
    config: backups.config,
    systemIdentifier: repository.systemIdentifier,
    segmentBytes: repository.segmentBytes,
    timeline,
    ...(service === undefined ? {} : { lsn: service.lsn }),
    ...(silent === undefined ? {} : { silent }),
    branches: repository.timelines.map((info) => branchOf(repository, info, promotions)),
    backups: repository.backups.map(({ label, type, stoppedAt, stopLsn, timeline: on, error, bytes }) => ({
      ...{ label, type, stoppedAt, stopLsn, timeline: on, error, bytes },
    })),
    anchors: anchors.map(({ at, lsn, timeline: on }) => ({ at, lsn, timeline: on })),
    read: { segments: read, of: countOf(repository), wholly },
    findings: diagnose(repository, timeline, { anchors, faults, ...(service && { writer: writerOf(service) }) }),
    notes: stored.why === undefined ? [] : [`anchors were not listed: ${stored.why}`],
  };
}

async function answered<T>(ask: () => Promise<T>): Promise<{ answer?: T; why?: string }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    return { why: `${type}: ${message}` };
  }
}

function newestTimeline({ timelines }: Repository): number {
  return Math.max(1, ...timelines.map(({ id }) => id));
}

/** Ranges stay here: a large archive has many. */
function knownOf({ segmentBytes, systemIdentifier, timelines }: Repository) {
  return { segmentBytes, systemIdentifier, timelines: timelines.map((info) => ({ ...info, ranges: [] })) };
}

function writerOf({ timeline, lsn, systemIdentifier, archiver }: ServiceMoment): Writer {
  return { timeline, lsn, systemIdentifier, ...(archiver && { archiver }) };
}

function countOf({ timelines }: Repository): number {
  return timelines.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
}

function branchOf(repository: Repository, info: TimelineInfo, promotions: { timeline: number; at?: string }[]): Branch {
  const { from, to, gaps } = recoveryWindow(repository, [], info.id);
  const promotedAt = promotions.find(({ timeline }) => timeline === info.id)?.at;
  return {
    ...info,
    ...(promotedAt === undefined ? {} : { promotedAt }),
    window: { ...(from && { from }), ...(to && { to }), gaps },
  };
}
