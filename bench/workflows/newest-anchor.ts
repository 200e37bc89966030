import { proxyActivities } from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import type { Plan } from '../../plan/schema.ts';
import type { Anchor } from '../../recovery/archive.ts';
import { controlQueue } from '../../workflows/messages.ts';

/** The anchor that a drill would compare with, for those who compare by hand. */
export async function newestAnchor({ evidence, service }: Pick<Plan, 'evidence' | 'service'>): Promise<Anchor> {
  const { listAnchors } = proxyActivities<Pick<ControlReads, 'listAnchors'>>({
    taskQueue: controlQueue,
    startToCloseTimeout: '1m',
  });
  const [newest] = (await listAnchors({ store: evidence, service })).anchors;
  if (newest === undefined) throw new Error('the evidence store holds no anchor');
  return newest;
}
