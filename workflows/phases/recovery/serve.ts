/** The service is given back, and made safe again. */
import { formatBytes } from '../../../evidence/format.ts';
import { addresses } from '../../../plan/hosts.ts';
import { doorOf } from '../../../plan/sites.ts';
import type { Change } from '../../runbook/change.ts';
import type { Run } from '../../runbook/run.ts';
import { leaveToCheck, measureClosed, pulsesAcross } from '../front-door.ts';
import { membersOf, placeOf, type RecoveryRun, type Restoring } from './recovering.ts';
import type { Replaced } from './replace.ts';
import type { Reached } from './restore.ts';

interface Closed {
  reached: Reached;
  closedAt: string;
}

export async function letIn(
  run: RecoveryRun,
  recovering: Restoring,
  replaced: Replaced,
  closed: Closed,
): Promise<void> {
  const opened = await open(run, recovering, replaced);
  await resumeApplication(run);
  await serves(run, recovering, replaced, { ...closed, opened });
}

/** As `letIn`, where the application is let write later: it stands on more than the database. */
export async function openToAll(
  run: RecoveryRun,
  recovering: Restoring,
  replaced: Replaced,
  closed: Closed,
): Promise<void> {
  const opened = await open(run, recovering, replaced);
  await serves(run, recovering, replaced, { ...closed, opened });
}

function open(run: RecoveryRun, recovering: Restoring, replaced: Replaced): Promise<{ at: string }> {
  return run.change('Open the front door to the recovered primary', openTheDoor(run, recovering, replaced));
}

/** Where the plan has a command for it. */
export async function resumeApplication(run: Run): Promise<void> {
  const { resume: command } = run.plan.application;
  if (command === undefined) return;
  await run.change('Let the application write again', {
    preview: async () => ({ will: `run ${command.command.join(' ')} on ${command.host}`, yields: undefined }),
    apply: () => run.host(command.host).tellApplication({ what: 'resume', command }),
    undo: { pointOfNoReturn: 'The application writes to the recovered database.' },
  });
}

async function serves(
  run: RecoveryRun,
  recovering: Restoring,
  replaced: Replaced,
  { reached, closedAt, opened }: Closed & { opened: { at: string } },
): Promise<void> {
  await run.prove('A write is acknowledged through the front door', () =>
    pulsesAcross(run, {
      timeline: replaced.timeline,
      upTo: reached.end?.lsn ?? reached.way.located.target.lsn,
      missing: {
        where: 'in the recovered database though they are from before the target',
        advice: 'Compare with what was set aside.',
      },
      without: 'the plan has no pulse; the front door was opened with a write through it',
    }),
  );
  if (run.mode !== 'dry-run') {
    run.record({ recoveredAt: new Date(Date.now()).toISOString() });
    measureClosed(run, closedAt, opened.at);
  }
  for (const server of recovering.checked)
    await run.change(`Leave ${server} to the load balancer's check`, leaveToCheck(run, server));
}

function openTheDoor(
  run: Run,
  { primary, systemIdentifier }: Restoring,
  { timeline }: Replaced,
): Change<{ at: string }> {
  const { traffic, database } = doorOf(run.plan, primary.host);
  return {
    preview: async () => ({
      will: `lead ${traffic.backend} to ${primary.host} alone, and write through it`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: async () => {
      const opened = await run.control.openDoor({
        ...{ traffic, database, addresses: addresses(run.plan) },
        ...{ to: primary.host, timeline, systemIdentifier },
      });
      run.doorOpens();
      return opened;
    },
    undo: {
      pointOfNoReturn:
        'What is written from then on is in the recovered database alone: the way back is another recovery. What was replaced is kept aside.',
      seals: true,
    },
  };
}

/** Nobody waits for these: the service writes. */
export async function makeSafe(run: RecoveryRun, recovering: Restoring): Promise<void> {
  await run.together(
    ...membersOf(recovering).map(
      (member) => () =>
        run.change(
          `Remove what is left of the restored server on ${member.host}`,
          removeRest(run, recovering, member.host),
        ),
    ),
  );
  await run.change('Take a full backup of the recovered primary', takeBackup(run, recovering));
}

/** Its data are in their place; what is left is a socket's directory, logs and settings of its own. */
function removeRest(run: Run, recovering: Restoring, host: string): Change<unknown> {
  const member = membersOf(recovering).find((one) => one.host === host) ?? recovering.primary;
  const { scratch } = placeOf(run, member);
  return {
    preview: async () => ({
      will: `remove ${scratch.directory} on ${host}, whose data have taken the place of the live ones`,
      yields: undefined,
    }),
    apply: () => run.host(host).removeScratch({ scratch }),
    undo: { pointOfNoReturn: 'Nothing of it is needed any more.' },
    skip: { yields: undefined },
  };
}

function takeBackup(run: Run, { primary }: Restoring): Change<unknown> {
  const { physical } = run.plan.backups;
  return {
    preview: async () => ({
      will: `take a full backup of ${primary.host} into stanza ${physical.stanza}: those before it lead to the new timeline only through its fork`,
      yields: undefined,
    }),
    apply: async () => {
      const { backup, found } = await run
        .host(primary.host)
        .takeBackup({ backups: physical, member: primary, type: 'full', outageWithinMs: run.patienceMs() });
      return { found: `${found} (${formatBytes(backup.bytes)} restored)` };
    },
    undo: { pointOfNoReturn: 'A finished backup stays.' },
    skip: { yields: undefined },
  };
}

/** However the run ends: what it has set aside is kept, what it has made for itself is gone. */
export function proveNothingIsBeside(run: RecoveryRun, recovering: Restoring): void {
  for (const member of membersOf(recovering))
    run.afterwards(`Nothing is left beside on ${member.host}`, () =>
      run.host(member.host).litter({ scratch: placeOf(run, member).scratch }),
    );
}
