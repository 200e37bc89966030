import type { RunSummary } from '../evidence/evidence.ts';
import type { RegionFailoverInput } from './messages.ts';
import { assessTheLoss } from './phases/failover/assess.ts';
import { attest, attestation } from './phases/failover/attest.ts';
import { factsToApprove } from './phases/failover/facts.ts';
import { openToTheNew, takeOver } from './phases/failover/take-over.ts';
import { validate } from './phases/failover/validate.ts';
import { refuseOnPatroni } from './phases/patroni/cluster.ts';
import { whatIsGivenUp } from './phases/region/facts.ts';
import { leaveTheLostSite } from './phases/region/leave.ts';
import { leadTheName, nameIsKnown } from './phases/region/name.ts';
import { between, sitesOf, whichSiteIsLost } from './phases/region/sites.ts';
import { ownStoreKeepsUp } from './phases/region/store.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Fail over to the other site';

/**
 * A whole site is lost, and the standby of another one takes over: what it never received is lost, which people are told before they say
 * yes, and which is counted afterwards. Nothing is promoted before it is proven, or attested by a person, that the old primary cannot write
 * any more. The lost site is left fenced: the way back is a region failback.
 */
export async function regionFailover(input?: RegionFailoverInput): Promise<RunSummary> {
  return runbook<RegionFailoverInput>(
    {
      name: 'region-failover',
      title: 'Region failover',
      phases: ['assessment', 'database', 'traffic', 'validation'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [attestation, approval],
    },
    input,
    async (run) => {
      const { lost, sites } = await run.phase('assessment', async () => {
        await refuseOnPatroni(run, between);
        const lost = await assessTheLoss(run, () => whichSiteIsLost(run), undefined);
        const sites = sitesOf(run.plan, lost);
        await nameIsKnown(run, sites, false);
        await ownStoreKeepsUp(run, lost);
        return { lost, sites };
      });
      const moved = await run.phase('database', async () => {
        const fenced = await attest(run, lost);
        await run.approval(approval, async () =>
          whatIsGivenUp(run, lost, sites, await factsToApprove(run, lost, fenced)),
        );
        return takeOver(run, lost, fenced);
      });
      await run.phase('traffic', async () => {
        await openToTheNew(run, lost, moved);
        await leadTheName(run, sites, { ...moved, member: lost.to, systemIdentifier: lost.systemIdentifier });
        if (run.mode !== 'dry-run') run.record({ recoveredAt: new Date(Date.now()).toISOString() });
      });
      await run.phase('validation', async () => {
        await validate(run, lost, moved);
        await leaveTheLostSite(run, lost, moved, sites);
      });
    },
  );
}
