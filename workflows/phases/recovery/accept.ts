/** What must be true before the old data are removed for good; and their removal. */
import type { Found, ServiceMoment } from '../../../activities/shapes.ts';
import type { SetAside, SetAsideSeen } from '../../../evidence/evidence.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { Subject } from '../../../evidence/people.ts';
import { identityOfSetAside } from '../../../evidence/set-aside.ts';
import { addresses, member } from '../../../plan/hosts.ts';
import type { Repository } from '../../../recovery/archive.ts';
import type { AcceptInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';

export const acceptApproval = 'Accept the recovery';

type Old = SetAside & { seen: SetAsideSeen };

export interface Accepted {
  recovery: string;
  /** What is still there of what it has set aside. */
  old: Old[];
  primary: string;
  timeline: number;
  /** The full backup that does without the old data. */
  backup: string;
}

export async function assessAccepted(run: Run<AcceptInput>): Promise<Accepted> {
  const { plan } = run;
  const recovery = run.input.recovery ?? '';
  const { setAside, startedAt } = await run.check('The recovery is known, and what it has set aside', () =>
    run.control.recoveryOf({ run: recovery, service: plan.service, store: plan.evidence }),
  );
  await run.holdService();
  for (const host of new Set(setAside.map(({ host }) => host))) await run.hold(host);
  const { primary } = await run.check('One member is the primary, and every other one answers', () => primaryOf(run));
  const service = await run.check('The service answers through its front door', () =>
    run.control.serviceMoment({ frontDoor: plan.database.frontDoor }),
  );
  const old: Old[] = [];
  for (const one of setAside) {
    const { seen } = await run.check(`What was set aside on ${one.host} is as it was left`, () =>
      lookAt(run, one, service),
    );
    if (seen !== undefined) old.push({ ...one, seen });
  }
  if (old.length === 0)
    throw failure(
      'InputInvalid',
      `nothing is there any more of what ${recovery} has set aside: there is nothing to accept.`,
    );
  const repository = await run.check('The WAL archive answers', () =>
    run.host(primary).repository({
      backups: plan.backups.physical,
      segmentBytes: service.segmentBytes,
      outageWithinMs: run.patienceMs(),
    }),
  );
  const { backup } = await run.check('A full backup of the recovered database is there', async () =>
    fullBackupSince(run, repository, { startedAt, after: Math.max(...old.map(({ seen }) => seen.timeline)) }),
  );
  run.record({ setAside: old });
  return { recovery, old, primary, timeline: service.timeline, backup };
}

async function primaryOf(run: Run): Promise<Found & { primary: string }> {
  const { members, found, expected } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const silent = members.filter(({ role }) => role === 'unknown').map(({ host }) => host);
  const primary = members.find(({ role }) => role === 'primary');
  if (primary === undefined || silent.length > 0)
    throw failure(
      primary === undefined ? 'NotPrimary' : 'DatabaseUnreachable',
      `${found}; expected one primary, and an answer of every other member. As long as that is not so, nobody knows what the old data are still good for.`,
    );
  return { primary: primary.host, found, ...(expected === undefined ? {} : { expected }) };
}

/** Of the recovered cluster, older than its timeline, and the very one that the recovery has noted. */
async function lookAt(
  run: Run,
  { host, directory, seen: noted }: SetAside,
  { systemIdentifier, timeline }: ServiceMoment,
): Promise<Found & { seen?: SetAsideSeen }> {
  const looked = await run.host(host).lookAtSetAside({ member: member(run.plan, host), directory });
  const { seen } = looked;
  if (seen === undefined) return looked;
  if (seen.systemIdentifier !== systemIdentifier || seen.timeline >= timeline)
    throw failure(
      'Moved',
      `${directory} on ${host} is of cluster ${seen.systemIdentifier}, timeline ${seen.timeline}; the service is ${systemIdentifier} on timeline ${timeline}. Expected the old data of this service, from before its timeline: it may hold what the service does not. Nothing was removed.`,
    );
  if (noted !== undefined && identityOfSetAside(noted) !== identityOfSetAside(seen))
    throw failure(
      'Moved',
      `${directory} on ${host} ends at ${seen.lsn} on timeline ${seen.timeline} (inode ${seen.inode}); the recovery has left one that ends at ${noted.lsn} on timeline ${noted.timeline} (inode ${noted.inode}). Another is in its place, or somebody has started it: see what it holds. Nothing was removed.`,
    );
  return looked;
}

/** Without one, the way back to the newest state still leads over the time before the recovery. */
function fullBackupSince(
  run: Run,
  { backups }: Repository,
  { startedAt, after }: { startedAt: string; after: number },
): Found & { backup: string } {
  const since = backups
    .filter(({ type, error, timeline }) => type === 'full' && !error && timeline > after)
    .filter((one) => Date.parse(one.startedAt) >= Date.parse(startedAt))
    .toSorted((a, b) => Date.parse(b.stoppedAt) - Date.parse(a.stoppedAt));
  const [newest] = since;
  if (newest === undefined)
    throw failure(
      'BackupMissing',
      `stanza ${run.plan.backups.physical.stanza} holds no full backup of the recovered database (timeline above ${after}, since ${startedAt}); expected one before the old data go. Take it: lifeboat backup ${run.plan.service} --type full`,
    );
  return {
    backup: newest.label,
    found: `backup ${newest.label}, ended ${newest.stoppedAt}, timeline ${newest.timeline}`,
    expected: 'a full backup since the recovery',
  };
}

/** A yes is bound to the very directories. */
export async function factsToAccept(
  run: Run,
  { recovery, old, primary, timeline, backup }: Accepted,
): Promise<{ subject: Subject; shown: Subject }> {
  const service = await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
  if (service.timeline !== timeline)
    throw failure(
      'Moved',
      `the service writes on timeline ${service.timeline}, and on ${timeline} when it was assessed: start the acceptance again.`,
    );
  const subject: Subject = { recovery, timeline };
  for (const { host, directory, seen } of old)
    subject[`removed for good on ${host}`] = `${directory} (${identityOfSetAside(seen)})`;
  return {
    subject,
    shown: {
      primary,
      backup,
      'room that it frees': formatBytes(old.reduce((sum, { seen }) => sum + seen.bytes, 0)),
      'can be undone': 'no: what only the old data hold is gone then, but for the rows that the ledger has kept',
    },
  };
}

export async function removeOld(run: Run, { old }: Accepted): Promise<void> {
  for (const one of old) {
    const { host, directory, seen } = one;
    await run.change(`Remove what was set aside on ${host}`, {
      preview: async () => ({ will: `remove ${directory} on ${host} (${formatBytes(seen.bytes)})`, yields: undefined }),
      apply: async () => {
        const gone = await run.host(host).removeSetAside({
          member: member(run.plan, host),
          directory,
          identity: identityOfSetAside(seen),
        });
        const { setAside = [] } = run.evidence;
        run.record({ setAside: setAside.filter((other) => other.host !== host || other.directory !== directory) });
        return gone;
      },
      undo: { pointOfNoReturn: 'People have accepted the recovery: the old data do not come back.' },
    });
    await run.prove(`Nothing of it is left on ${host}`, async () => {
      const { seen: still, found } = await run.host(host).lookAtSetAside({ member: member(run.plan, host), directory });
      if (still !== undefined) throw failure('LitterFound', `${found}; expected it to be gone. Remove it by hand.`);
      return { found, expected: 'nothing is left of it' };
    });
  }
}
