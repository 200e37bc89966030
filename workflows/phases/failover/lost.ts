/** A primary that is lost, and the standby that takes over, as they were assessed. */
import type { StoppedAt } from '../../../activities/contract.ts';
import type { Fence, Member } from '../../../plan/schema.ts';
import type { Replication } from '../../../plan/server-control.ts';
import type { Lsn } from '../../../recovery/archive.ts';
import type { RunInput } from '../../messages.ts';
import type { Run } from '../../runbook/run.ts';

/** Of a member, or of the site that it is in. */
export type FailoverRun = Run<RunInput & { incidentAt?: string }>;

export interface Lost {
  /** The primary that does not answer. */
  from: Member;
  /** The standby that takes over. */
  to: Member;
  /** Standbys that do not: they have to follow the new primary. */
  others: Member[];
  /** Members that do not answer either, and are known not to be a primary. */
  silent: Member[];
  /** That the standby follows. */
  timeline: number;
  systemIdentifier: string;
  segmentBytes: number;
  /** Up to where the standby had replayed when it was assessed. */
  replayed: Lsn;
  fence: Fence;
  replication: Replication;
  /** The load balancer's own check keeps a standby out: servers can be left to it. */
  checked: boolean;
}

/** Of an attestation: until when it is believed. */
export interface Fenced {
  until?: string;
}

/** The standby has become the primary. */
export interface Moved {
  left: StoppedAt;
  timeline: number;
  closedAt: string;
}
