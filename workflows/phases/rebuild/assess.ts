/** Which standby, how it stands, what there is to bring it back from. Everything here only reads. */
import { workflowInfo } from '@temporalio/workflow';
import type { Found, Scratch } from '../../../activities/shapes.ts';
import type { FailureType } from '../../../evidence/failures.ts';
import { addresses, member } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import type { Replication } from '../../../plan/server-control.ts';
import { backupsOn } from '../../../plan/sites.ts';
import { bytesOf } from '../../../plan/size.ts';
import type { Around, PrimaryKept, StandbyFound } from '../../../recovery/rebuild.ts';
import { slotNameFor } from '../../../recovery/switchover.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { replicationOf } from '../members.ts';
import { refuseOnPatroni } from '../patroni/cluster.ts';
import { sayingHowItStands } from '../standing.ts';

/** Who comes back, and to whom. */
export interface Who {
  standby: Member;
  primary: Member;
  replication: Replication;
  slot: string;
  /** Where a restore would be made, and the name that everything beside carries. */
  scratch: Scratch;
  run: string;
}

/** @param wanted host of the standby of this primary; undefined: the only other member */
export async function whoIsWho(run: Run, wanted: (primary: string) => string | undefined): Promise<Who> {
  await refuseOnPatroni(run, 'Patroni builds a standby anew itself: patronictl reinit CLUSTER MEMBER.');
  const { standby, primary } = await run.check('One member is the primary, and it is known which comes back', () =>
    sayingHowItStands(run, () => roles(run, wanted)),
  );
  await run.holdService();
  await run.hold(standby.host);
  const replication = await run.check('The plan says how a standby connects', async () => replicationOf(run));
  return comesBack(run, { standby, primary, replication });
}

export function comesBack(run: Run, who: Pick<Who, 'standby' | 'primary' | 'replication'>): Who {
  const { standby } = who;
  const directory = standby.beside ?? run.plan.drills.monthly.directory;
  const name = nameBeside();
  const scratch = { host: standby.host, directory: `${directory}/${name}`, service: run.plan.service };
  return { ...who, slot: slotNameFor(standby.host), scratch, run: name };
}

/** By every member's own word; of who does not answer nobody knows. */
async function roles(
  run: Run,
  wanted: (primary: string) => string | undefined,
): Promise<Found & Pick<Who, 'standby' | 'primary'>> {
  const { members, found } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const primary = members.find(({ role }) => role === 'primary');
  if (primary === undefined)
    throw failure(
      'NotPrimary',
      `no member says that it is the primary (${found}); a standby is made from one. Bring the primary back first.`,
    );
  const others = members.filter(({ host }) => host !== primary.host).map(({ host }) => host);
  const host = chosen(wanted(primary.host), others, primary.host);
  const silent = members.filter((one) => one.role === 'unknown' && one.host !== host).map((one) => one.host);
  const unknown =
    silent.length === 0 ? '' : `; ${silent.join(' and ')} cannot be asked, so whether it is a primary too is not known`;
  return {
    standby: member(run.plan, host),
    primary: member(run.plan, primary.host),
    found: `${found}; ${host} comes back as a standby of ${primary.host}${unknown}`,
    expected: 'one primary, and the member that comes back',
  };
}

function chosen(wanted: string | undefined, others: string[], primary: string): string {
  if (wanted === primary)
    throw failure('InputInvalid', `${primary} is the primary: it is never rebuilt. Name a standby in "host".`);
  if (wanted !== undefined && !others.includes(wanted))
    throw failure(
      'InputInvalid',
      `"host": ${wanted} is no member of the plan; there are ${others.join(', ') || 'none'}.`,
    );
  const [only, ...more] = wanted === undefined ? others : [wanted];
  if (only === undefined)
    throw failure('PlanInvalid', `the plan has no member beside ${primary}. Add the standby to database.members.`);
  if (more.length > 0)
    throw failure(
      'InputInvalid',
      `there are several members, ${others.join(', ')}: name the one that comes back in "host".`,
    );
  return only;
}

/** The same after a reset, and safe as part of a path, whatever the run is called. */
function nameBeside(): string {
  const { workflowId, originalExecutionRunId, runId } = workflowInfo();
  const name = workflowId.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 24);
  return `${name}-${(originalExecutionRunId ?? runId).slice(0, 8)}`;
}

export async function lookAround(run: Run, who: Who): Promise<Around> {
  const { standby: member, scratch } = who;
  const standby = await run.check('It is known how the standby stands', () => standbyOf(run, who));
  // After it: where the primary writes must not lie before what the standby has received.
  const kept = await run.check('The primary has room for it', () => primaryOf(run, who, standby));
  const { archive } = await run.check('It is known what the WAL archive holds', () => archiveOf(run, who, kept));
  const place = await run.check('It is known where another directory could be made', () =>
    run.host(member.host).canTakePlace({ member, scratch }),
  );
  const keepFree = bytesOf(run.plan.drills.monthly.keepFree) ?? 0;
  return { standby, primary: kept, archive, place, keepFree };
}

async function standbyOf(run: Run, { standby, primary, replication }: Who): Promise<Found & StandbyFound> {
  const found = await run.host(standby.host).standbyFound({ member: standby, replication });
  if (found.runs === 'primary')
    throw failure(
      'SplitBrain',
      `${standby.host} says that it is a primary (timeline ${found.past?.timeline ?? 'unknown'}), and so does ${primary.host}. Find out which one clients write to, stop the other, and start again: what it has written beside is shown before anything of it is given up.`,
    );
  if (found.runs === 'unknown')
    throw failure(
      'DatabaseUnreachable',
      `the server on ${standby.host} runs, cannot be asked what it is, and has no standby.signal: it may be a primary. See its log, stop it, then start again.`,
    );
  return found;
}

async function primaryOf(run: Run, who: Who, standby: StandbyFound): Promise<Found & PrimaryKept> {
  const { primary, slot, replication } = who;
  const kept = await run.host(primary.host).primaryKeeps({ member: primary, slot, replicationUser: replication.user });
  const [here, there] = [standby.serverVersion, kept.serverVersion].map((version) => Math.floor(version / 10_000));
  if (here !== there)
    throw failure(
      'VersionMismatch',
      `PostgreSQL ${here} is on ${standby.host}, ${primary.host} runs ${there}. Install the same major version on ${standby.host}.`,
    );
  const { past } = standby;
  if (past !== undefined && past.systemIdentifier !== kept.systemIdentifier)
    throw failure(
      'PlanInvalid',
      `${who.standby.dataDirectory} on ${standby.host} is of another cluster (${past.systemIdentifier}) than ${primary.host} (${kept.systemIdentifier}): it is not touched. Correct database.members in the plan, or move it away by hand.`,
    );
  return kept;
}

/** Without these the standby can still come back in another way. */
const noArchive: readonly FailureType[] = [
  'ArchiveUnreachable',
  'ArchiveUnsound',
  'BackupMissing',
  'BackupCorrupt',
  'StoreRefused',
  'NotPermitted',
];

/** Long enough for what comes back at once: there are other ways. */
const outageWithinMs = 15_000;

async function archiveOf(
  run: Run,
  { standby, primary }: Who,
  kept: PrimaryKept,
): Promise<Found & Pick<Around, 'archive'>> {
  try {
    const { found, ...repository } = await run.host(standby.host, 2).repository({
      backups: backupsOn(run.plan, primary.host),
      segmentBytes: kept.segmentBytes,
      outageWithinMs,
    });
    if (repository.systemIdentifier === kept.systemIdentifier) return { archive: { repository }, found };
    const why = `it is of another cluster (${repository.systemIdentifier})`;
    return { archive: { why }, found: why };
  } catch (error) {
    const { type, message } = failureOf(error);
    if (!noArchive.some((one) => one === type)) throw error;
    return { archive: { why: `${type}: ${message}` }, found: `it cannot be used: ${message}` };
  }
}
