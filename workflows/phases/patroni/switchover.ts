/** The planned change of primary on a cluster that Patroni keeps: Patroni does it, Lifeboat asks, watches and proves. */
import type { PatroniLeads } from '../../../activities/contract.ts';
import type { PatroniDatabase } from '../../../plan/schema.ts';
import type { SwitchoverInput } from '../../messages.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { pulsesAcross } from '../front-door.ts';
import { takeAnchorOn, takeIncrementalBackup } from '../new-primary.ts';
import { askOf, doorHasFollowed, stateOf } from './cluster.ts';
import { proveArchived, proveFollowed } from './led.ts';
import { assessSwitchover, type Chosen, factsToApprove } from './switchover-assess.ts';

export async function switchoverByPatroni(
  run: Run<SwitchoverInput>,
  database: PatroniDatabase,
  approval: string,
): Promise<void> {
  const chosen = await run.phase('assessment', () => assessSwitchover(run, database));
  const led = await run.phase('traffic', async () => {
    await run.approval(approval, () => factsToApprove(run, database, chosen));
    const led = await run.change('Let Patroni switch over', letPatroniSwitch(run, database, chosen));
    await run.prove('The front door leads to the new primary', () => doorHasFollowed(run, led.leader));
    return led;
  });
  await run.phase('database', async () => {
    await proveFollowed(run, database, led, []);
    await proveArchived(run, led);
    await run.prove('No acknowledged pulse is lost', () =>
      pulsesAcross(run, {
        timeline: led.timeline,
        missing: { where: 'on the new primary', advice: 'Keep every data directory as it is, and compare.' },
        without: 'the plan has no pulse: neither loss nor gap is measured by it',
      }),
    );
    const to = chosen.members.find(({ host }) => host === led.leader) ?? chosen.to;
    await run.change('Take an anchor on the new primary', takeAnchorOn(run, to));
    await run.change('Take a backup of the new primary', takeIncrementalBackup(run, to, chosen.lastBackupMs));
  });
}

/** What Patroni refuses leaves all as it was: then there is nothing to take back, and nobody is asked. */
function letPatroniSwitch(run: Run, database: PatroniDatabase, chosen: Chosen): Change<PatroniLeads> {
  const { from, to, timeline } = chosen;
  // It need not be the one that was asked for.
  let leader = to.host;
  return {
    urgent: true,
    preview: async () => ({
      will: `ask Patroni on ${from.host} to switch over to ${to.host} (POST /switchover), and wait until it leads on a timeline past ${timeline}; Patroni stops ${from.host}, promotes ${to.host} and brings ${from.host} back as its standby; the load balancer follows by its check`,
      yields: { leader: to.host, timeline: timeline + 1, found: 'not asked' },
    }),
    apply: async () => {
      const led = await run.control.patroniSwitchover({
        ...askOf(run, database),
        ...{ from: from.host, to: to.host, timeline, withinMs: database.leaderWithin },
      });
      leader = led.leader;
      return led;
    },
    undo: () => asItStands(run, database, chosen),
    onceDone: {
      pointOfNoReturn: () =>
        `${leader} writes on a timeline of its own: the way back is another switchover, by Patroni too.`,
      seals: true,
    },
  };
}

/** Patroni is taken at its word, never corrected: who leads now, leads. */
async function asItStands(run: Run, database: PatroniDatabase, { from, timeline }: Chosen) {
  const now = await stateOf(run, database, database.leaderWithin);
  const leader = now.members.find(({ host }) => host === now.leader);
  if (now.leader === from.host && leader?.server.timeline === timeline)
    return { found: `nothing to take back: ${from.host} leads as before; ${now.found}` };
  throw failure(
    'Moved',
    `${now.leader ?? 'nobody'} leads by now (${now.found}), and was asked for: the way back is another switchover, by Patroni too.`,
  );
}
