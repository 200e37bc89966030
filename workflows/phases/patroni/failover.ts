/**
 * A primary is lost on a cluster that Patroni keeps. Patroni has failed over by itself: that is proven, and what was lost is counted. Or it
 * has not: then it is said why, and with a yes of people Patroni is asked to.
 */
import type { PatroniLeads } from '../../../activities/contract.ts';
import { member } from '../../../plan/hosts.ts';
import type { PatroniDatabase } from '../../../plan/schema.ts';
import type { DatabaseFailoverInput } from '../../messages.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { validate } from '../failover/validate.ts';
import { takeIncrementalBackup } from '../new-primary.ts';
import { askOf, doorHasFollowed, stateOf } from './cluster.ts';
import { assessFailover, type Leaderless, orderToApprove } from './failover-assess.ts';
import { proveFollowed } from './led.ts';

export async function failoverByPatroni(
  run: Run<DatabaseFailoverInput>,
  database: PatroniDatabase,
  approval: string,
): Promise<void> {
  const lost = await run.phase('assessment', () => assessFailover(run, database));
  const led = await run.phase('database', async () => {
    if (lost.led !== undefined) return lost.led;
    await run.approval(approval, () => orderToApprove(run, database, lost));
    return run.change('Let Patroni fail over', letPatroniFailOver(run, database, lost));
  });
  if (lost.led !== undefined)
    run.notePhase('database', `Patroni had failed over by itself: Lifeboat changed nothing (${lost.led.found})`);
  await run.phase('traffic', async () => {
    await run.prove('The front door leads to the new primary', () => doorHasFollowed(run, led.leader));
    await run.prove('The service takes writes', () => serves(run, led));
  });
  await run.phase('validation', async () => {
    const to = member(run.plan, led.leader);
    await validate(run, { to }, led);
    await proveFollowed(run, database, led, lost.silent);
    await run.change('Take a backup of the new primary', takeIncrementalBackup(run, to));
    if (lost.silent.length > 0 && run.mode !== 'dry-run')
      run.record({
        leftFenced: {
          host: lost.silent.join(' and '),
          why: 'Patroni on it does not answer',
          byHand: `Start Patroni there, and nothing else: it rewinds its server and follows ${led.leader}. If it cannot, patronictl reinit ${database.scope} ${lost.silent.join(' ')}`,
        },
      });
  });
}

async function serves(run: Run, { leader, timeline }: PatroniLeads) {
  const now = await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
  if (now.timeline !== timeline)
    throw failure(
      'DoorOpen',
      `the front door leads to timeline ${now.timeline}, expected ${timeline} of ${leader}. See what the load balancer believes.`,
    );
  run.record({ recoveredAt: new Date(Date.now()).toISOString() });
  return now;
}

function letPatroniFailOver(
  run: Run<DatabaseFailoverInput>,
  database: PatroniDatabase,
  { to, timeline }: Leaderless,
): Change<PatroniLeads> {
  const host = to?.host ?? '';
  return {
    urgent: true,
    preview: async () => ({
      will: `ask Patroni to make ${host} the leader (POST /failover), and wait until it leads on a timeline past ${timeline}`,
      yields: { leader: host, timeline: timeline + 1, found: 'not asked' },
    }),
    apply: () =>
      run.control.patroniFailover({ ...askOf(run, database), to: host, timeline, withinMs: database.leaderWithin }),
    onceDone: {
      pointOfNoReturn: `Patroni has promoted ${host}, which writes on a timeline of its own: the way back is a switchover, by Patroni too.`,
      seals: true,
    },
    undo: async () => {
      const now = await stateOf(run, database);
      if (now.leader === undefined) return { found: `nothing to take back: ${now.found}` };
      throw failure(
        'Moved',
        `${now.leader} leads by now (${now.found}): the way back is a switchover, by Patroni too.`,
      );
    },
  };
}
