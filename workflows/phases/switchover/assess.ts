/** What must be true before a primary is stopped on purpose. Everything here only reads. */
import type { Found, MemberState, ServiceMoment } from '../../../activities/shapes.ts';
import { formatBytes, formatClock } from '../../../evidence/format.ts';
import { member } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { backupsOn, doorOf, shareDoor } from '../../../plan/sites.ts';
import type { Repository } from '../../../recovery/archive.ts';
import { lagBytes, objections } from '../../../recovery/switchover.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { Clocks, database } from '../clocks.ts';
import { everyRole, leadsTo, leadsToNobody, replicationOf } from '../members.ts';
import { soundArchive } from '../own-archive.ts';
import { sayingHowItStands } from '../standing.ts';
import { type Facts, factsOf, type Pair } from './pair.ts';

/** A standby that streams is behind by less, by far. */
const keepsUpWithinMs = 10_000;

/** @param wanted host of the standby that takes over from this primary; undefined: the only one there is */
export async function assessPair(run: Run, wanted: (primary: string) => string | undefined): Promise<Pair> {
  const clocks = new Clocks();
  // First what a switchover that was ended in its middle would have left: it is said at once.
  const { from, to } = await run.check('One member is the primary, and it is known which takes over', () =>
    sayingHowItStands(run, () => roles(run, wanted)),
  );
  await run.holdService();
  await run.hold(from.host);
  await run.hold(to.host);
  const { checked } = await run.check('The front door leads to the primary, and to nobody else', () =>
    sayingHowItStands(run, () => whoIsLetIn(run, from, to)),
  );
  const service = await run.check('The service answers through its front door', () =>
    clocks.read(database, () => run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor })),
  );
  const replication = await run.check('The plan says how a standby connects', async () => replicationOf(run));
  const { primary, standby } = await run.check('The two servers can change places', async () => {
    const facts = await factsOf(run, { from, to, replication });
    return { ...facts, ...judged(facts) };
  });
  await clocks.agree(run, service, undefined);
  await run.check('The standby keeps up', async () => {
    const lag = lagBytes(primary, standby);
    run.measure('lag of the standby', lag, 'bytes', 'between what the primary had written and the standby replayed');
    const { found } = await run.host(to.host).caughtUp({ member: to, lsn: primary.lsn, withinMs: keepsUpWithinMs });
    return { found: `${formatBytes(lag)} behind when it was asked; ${found}`, expected: 'a standby that keeps up' };
  });
  const { lastBackup, lastBackupMs } = await somethingToFallBackOn(run, from, service);
  const oldSlot = standby.receiver?.slot;
  return {
    ...{ from, to, replication, oldSlot, checked, lastBackup, lastBackupMs },
    timeline: primary.timeline,
    systemIdentifier: primary.systemIdentifier,
  };
}

/** A sound archive with a backup, and a store that takes the evidence. */
export async function somethingToFallBackOn(
  run: Run,
  from: Member,
  service: ServiceMoment,
): Promise<Pick<Pair, 'lastBackup' | 'lastBackupMs'>> {
  const repository = await run.check('The WAL archive answers', () =>
    run.host(from.host).repository({
      backups: backupsOn(run.plan, from.host),
      segmentBytes: service.segmentBytes,
      outageWithinMs: run.patienceMs(),
    }),
  );
  await soundArchive(run, repository, service);
  const newest = await run.check('There is a backup to fall back on', async () => newestBackup(run, repository));
  await run.check('The evidence store answers', () =>
    run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
  );
  return newest;
}

async function whoIsLetIn(run: Run, from: Member, to: Member): Promise<Found & { checked: boolean }> {
  const { servers, found } = await run.control.doorState({ traffic: doorOf(run.plan, from.host).traffic });
  const shared = shareDoor(run.plan, from.host, to.host);
  const { checked, expected } = leadsTo(servers, from.host, shared ? [to.host] : []);
  if (shared) return { checked: checked.includes(to.host), expected, found };
  const there = await run.control.doorState({ traffic: doorOf(run.plan, to.host).traffic });
  leadsToNobody(there.servers, to.host);
  return {
    checked: there.servers.some(({ server, checked: out }) => server === to.host && out),
    expected: `${expected}; nobody in the other site`,
    found: `${found}; in the other site ${there.found}`,
  };
}

async function roles(
  run: Run,
  wanted: (primary: string) => string | undefined,
): Promise<Found & { from: Member; to: Member }> {
  const { members, found } = await everyRole(run, 'roles are changed');
  const primary = members.find(({ role }) => role === 'primary');
  if (primary === undefined)
    throw failure('NotPrimary', `no member says that it is the primary (${found}); expected one`);
  const to = chosen(wanted(primary.host), members, primary.host);
  return {
    from: member(run.plan, primary.host),
    to: member(run.plan, to),
    found: `${found}; ${to} takes over from ${primary.host}`,
    expected: 'one primary, and the standby that becomes it',
  };
}

function chosen(wanted: string | undefined, members: MemberState[], primary: string): string {
  const standbys = members.filter(({ role }) => role === 'standby').map(({ host }) => host);
  if (wanted === primary)
    throw failure('InputInvalid', `${primary} is the primary already: there is nothing to switch.`);
  if (wanted !== undefined && !standbys.includes(wanted))
    throw failure('InputInvalid', `"to": ${wanted} is no standby; there are ${standbys.join(', ') || 'none'}.`);
  const [only, ...more] = wanted === undefined ? standbys : [wanted];
  if (only === undefined)
    throw failure('StandbyUnfit', `${primary} has no standby that could take over. Build one first.`);
  if (more.length > 0)
    throw failure(
      'InputInvalid',
      `there are several standbys, ${standbys.join(', ')}: name the one that takes over in "to".`,
    );
  return only;
}

function judged({ primary, standby }: Facts): Found {
  const against = objections(primary, standby);
  if (against.length > 0)
    throw failure('StandbyUnfit', `the roles cannot be changed: ${against.join('; ')}. Then start again.`);
  const logical = primary.slots.filter(({ kind }) => kind === 'logical').length;
  const alone = logical === 0 ? '' : `; ${logical} logical slots stay behind`;
  return {
    found: `${primary.host} and ${standby.host} are both on timeline ${primary.timeline}, of one history; ${standby.host} streams${alone}`,
    expected: 'a standby that streams, of the same history, with the configuration of a primary',
  };
}

function newestBackup(run: Run, { backups }: Repository): Found & Pick<Pair, 'lastBackup' | 'lastBackupMs'> {
  const newest = backups.filter(({ error }) => !error).toSorted((a, b) => b.stoppedAt.localeCompare(a.stoppedAt))[0];
  if (newest === undefined)
    throw failure(
      'BackupMissing',
      `stanza ${run.plan.backups.physical.stanza} holds no backup: take one first (lifeboat backup ${run.plan.service}).`,
    );
  const lastBackup = `${newest.label}, of ${formatClock(newest.stoppedAt)}Z`;
  const lastBackupMs = Math.max(0, Date.parse(newest.stoppedAt) - Date.parse(newest.startedAt));
  return { lastBackup, lastBackupMs, found: `the newest is ${lastBackup}`, expected: 'a backup that is complete' };
}
