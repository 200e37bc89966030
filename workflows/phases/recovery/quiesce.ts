/** Nobody writes any more what will be lost: the application stops, the front door closes, the last WAL is archived. */

import type { RowCount } from '../../../activities/contract.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { ApplicationCommand } from '../../../plan/schema.ts';
import { doorOf } from '../../../plan/sites.ts';
import { openByHand } from '../../../recovery/left-standing.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { countLoss, type Loss } from './loss.ts';
import type { Recovering, RecoveryRun, Servers, Way } from './recovering.ts';

/** On which timeline the old primary is, if everything is undone: the undo of the last steps may have to give it a new one. */
export interface WayBack {
  /** The recovered primary has been started: what the archive holds of it cannot be taken back. */
  begun: boolean;
  timeline: number;
}

/** What was counted once nobody wrote any more. */
export interface Quiet {
  closedAt: string;
  recovering: Recovering;
  /** Absent in a dry run. */
  loss?: Loss;
  rows: RowCount[];
}

export async function quiesce(run: RecoveryRun, recovering: Recovering, way: Way, back: WayBack): Promise<Quiet> {
  const { quiesce: command, resume } = run.plan.application;
  if (command !== undefined) await run.change('Let the application stop writing', letItStop(run, command, resume));
  const { at: closedAt } = await run.change('Close the front door', closeTheDoor(run, recovering, back));
  const { primary, timeline } = recovering;
  await run.prove('The last WAL is in the archive', () =>
    run.host(primary.host).archiveReaches({
      ...{ member: primary, backups: run.plan.backups.physical, timeline, withoutCheckpoint: true },
      outageWithinMs: run.patienceMs(),
    }),
  );
  const counted = await run.prove('What the target loses is counted', () => countLoss(run, recovering, way, closedAt));
  if (counted === undefined) return { closedAt, recovering, rows: [] };
  const { loss, rows, repository } = counted;
  return { closedAt, recovering: { ...recovering, repository }, loss, rows };
}

function letItStop(run: Run, command: ApplicationCommand, resume: ApplicationCommand | undefined): Change<unknown> {
  return {
    preview: async () => ({
      will: `run ${command.command.join(' ')} on ${command.host}: the application stops writing`,
      yields: undefined,
    }),
    apply: () => run.host(command.host).tellApplication({ what: 'quiesce', command }),
    undo:
      resume === undefined
        ? {
            pointOfNoReturn:
              'the plan does not say how the application begins again (application.resume): start it by hand',
          }
        : () => run.host(resume.host).tellApplication({ what: 'resume', command: resume }),
  };
}

function closeTheDoor(run: Run, servers: Servers, back: WayBack): Change<{ at: string }> {
  const { primary } = servers;
  const { traffic, database } = doorOf(run.plan, primary.host);
  return {
    preview: async () => ({
      will: `take every server of ${traffic.backend} out, and end the sessions of ${primary.host}: from then on nobody can write`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: () => {
      run.doorCloses({
        why: `it was closed to recover the database of ${primary.host}, and is not open to anybody.`,
        byHand: `Make sure that ${primary.host} alone is the primary and has the data that are wanted, then open it to that one: ${openByHand(traffic, primary.host)}`,
      });
      return run.control.closeDoor({ traffic, frontDoor: database.frontDoor });
    },
    undo: () => reopen(run, servers, back),
    opensDoor: true,
  };
}

/** As it was: to the old primary, with the standbys left to the load balancer's own check. */
async function reopen(run: Run, { primary, systemIdentifier, checked }: Servers, back: WayBack): Promise<unknown> {
  const { traffic, database } = doorOf(run.plan, primary.host);
  const where = { database, addresses: addresses(run.plan), timeline: back.timeline, systemIdentifier };
  const opened = await run.control.openDoor({ traffic, ...where, to: primary.host });
  run.doorOpens();
  for (const server of checked) await run.control.releaseServer({ traffic: doorOf(run.plan, server).traffic, server });
  return opened;
}
