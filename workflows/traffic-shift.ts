import type { RunSummary } from '../evidence/evidence.ts';
import type { Subject } from '../evidence/people.ts';
import { shareInWords } from '../recovery/shares.ts';
import type { TrafficShiftInput } from './messages.ts';
import { assessVisitors, type Led, shiftApproval, shiftTraffic } from './phases/shares.ts';
import { failure } from './runbook/failure.ts';
import type { Run } from './runbook/run.ts';
import { runbook } from './runbook/runbook.ts';

/**
 * Visitors are led to the application, or away from it: up share by share, each watched before the next, down at once. The last share that was
 * served well stays, whatever becomes of the next one.
 */
export async function trafficShift(input?: TrafficShiftInput): Promise<RunSummary> {
  return runbook<TrafficShiftInput>(
    {
      name: 'traffic-shift',
      title: 'Traffic shift',
      phases: ['assessment', 'traffic'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvalsWhereNamed: [shiftApproval],
    },
    input,
    async (run) => {
      const led = await run.phase('assessment', async () => {
        await run.holdService();
        return (await assessVisitors(run, run.input.to)) ?? (await nobodyToLead(run));
      });
      await run.phase('traffic', async () => {
        if (led.shares.length > 0) await run.approvalWhereNamed(shiftApproval, () => factsToApprove(run, led));
        await shiftTraffic(run, led);
      });
    },
  );
}

function nobodyToLead(run: Run): Promise<never> {
  return run.check('The plan says how visitors come', async () => {
    throw failure(
      'PlanInvalid',
      'the plan does not say how visitors come to the application, so none can be led by shares. Add visitors: its kind, its servers, and how a healthy one answers.',
    );
  });
}

async function factsToApprove(run: Run, { visitors, to, shares }: Led): Promise<{ subject: Subject; shown: Subject }> {
  const { share, found } = await run.control.visitorsState({ visitors });
  return {
    subject: {
      'led to the service now': shareInWords(share),
      'led to the service at the end': shareInWords(to),
      servers: visitors.servers.join(', '),
      'what is left goes to': visitors.closed ?? 'nobody',
    },
    shown: { found, 'one after the other': shares.map(shareInWords).join(', ') },
  };
}
