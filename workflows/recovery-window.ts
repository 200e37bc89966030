import { workflowInfo } from '@temporalio/workflow';
import type { ControlReads, HostReads } from '../activities/contract.ts';
import { recoveryWindow as windowOf } from '../recovery/window.ts';
import { answering } from './answering.ts';
import { controlQueue, hostQueue, type RunInput } from './messages.ts';
import { activities } from './runbook/step.ts';

/** From when to when a service can be recovered, and what stands in the way. Times in UTC. */
export interface RecoveryWindowResult {
  service: string;
  /** Absent when nothing can be recovered. */
  from?: string;
  to?: string;
  timeline: number;
  backups: { label: string; type: string; stoppedAt: string; bytes: number }[];
  gaps: string[];
  anchors: { at: string; lsn: string; tables: number }[];
  oddities: string[];
}

// Somebody sits before the screen: what does not answer now is said now.
const waits = { startToCloseMs: 120_000, heartbeatMs: 20_000, answerWithinMs: 60_000, attempts: 2 };

/** Looks, and changes nothing; not a runbook. */
export async function recoveryWindow(input?: Pick<RunInput, 'service'>): Promise<RecoveryWindowResult> {
  return answering('recovery-window', 'What can be recovered', async () => {
    const control = activities<ControlReads>({ taskQueue: controlQueue, ...waits });
    const { plan } = await control.loadPlan(input?.service === undefined ? {} : { service: input.service });
    const host = activities<HostReads>({ taskQueue: hostQueue(plan.drills.monthly.host), ...waits });
    const service = await control.serviceMoment({ frontDoor: plan.database.frontDoor });
    const repository = await host.repository({
      backups: plan.backups.physical,
      segmentBytes: service.segmentBytes,
    });
    const { anchors } = await control.listAnchors({ store: plan.evidence, service: plan.service });
    const { from, to, reaches, gaps, anchors: usable } = windowOf(repository, anchors, service.timeline);
    const last = reaches.at(-1)?.backup;
    const newest =
      to && last
        ? await host.newestCommit({
            backups: plan.backups.physical,
            scratch: {
              host: plan.drills.monthly.host,
              directory: `${plan.drills.monthly.directory}/${workflowInfo().runId}`,
              service: plan.service,
            },
            timeline: service.timeline,
            firstSegment: last.stopWal,
            lastSegment: to.segment,
            segmentBytes: service.segmentBytes,
          })
        : undefined;
    return {
      service: plan.service,
      ...(from === undefined ? {} : { from: from.at }),
      ...(newest === undefined ? {} : { to: newest.at }),
      timeline: service.timeline,
      backups: reaches.map(({ backup: { label, type, stoppedAt, bytes } }) => ({ label, type, stoppedAt, bytes })),
      gaps,
      anchors: usable.map(({ at, lsn, tables }) => ({ at, lsn, tables: tables.length })),
      oddities: repository.oddities.map(({ why }) => why),
    };
  });
}
