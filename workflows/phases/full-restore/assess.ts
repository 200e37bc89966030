/** What must be true before a byte is restored onto hosts that are empty. The archive alone is asked; everything here only reads. */
import type { Found, HostFacts } from '../../../activities/shapes.ts';
import { secretNames } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { failure } from '../../runbook/failure.ts';
import { usualSegmentBytes } from '../find/window.ts';
import { replicationOf } from '../members.ts';
import { soundByItself } from '../own-archive.ts';
import { refuseOnPatroni } from '../patroni/cluster.ts';
import { membersOf, placeIn, placeOf, type Restoring, type Servers, type Way } from '../recovery/recovering.ts';
import { type Rooms, roomOnEach } from '../recovery/restore.ts';
import { proveNothingIsBeside } from '../recovery/serve.ts';
import { recordWay } from '../recovery/way.ts';
import { type Lost, momentOf, noteLost } from './loss.ts';
import { doorKnows, nobodyIsAlive, primaryOf, whatLiesThere } from './lost.ts';
import type { RestoreRun } from './restore-run.ts';
import { wayBack } from './way.ts';

export interface Assessed {
  restoring: Restoring;
  way: Way;
  rooms: Rooms;
  lost: Lost;
  /** Members that the load balancer's own check keeps out. */
  keptOut: string[];
}

export async function assessLost(run: RestoreRun): Promise<Assessed> {
  await refuseOnPatroni(
    run,
    "Let Patroni bootstrap the first member from the archive (bootstrap.method with pgBackRest's restore), and the others by its create_replica_methods.",
  );
  const primary = primaryOf(run);
  await nobodyIsAlive(run);
  const standbys = run.plan.database.members.filter(({ host }) => host !== primary.host);
  await run.holdService();
  for (const { host } of [primary, ...standbys]) await run.hold(host);
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  const lies = await whatLiesThere(run);
  await run.check('The secrets of the plan resolve', () =>
    run.control.resolveSecrets({ names: secretNames(run.plan) }),
  );
  const { checked: keptOut } = await doorKnows(run);
  const replication =
    standbys.length === 0
      ? undefined
      : await run.check('The plan says how a standby connects', async () => replicationOf(run));
  const serverVersion = await hostsAreReady(run, primary, standbys);
  const repository = await archiveAlone(run, primary);
  const timeline = Math.max(1, ...repository.timelines.map(({ id }) => id));
  await soundByItself(run, repository, timeline);
  const servers: Servers = {
    ...{ primary, standbys, timeline, serverVersion, lies },
    checked: keptOut.filter((host) => host !== primary.host),
    systemIdentifier: repository.systemIdentifier,
    ...(replication === undefined ? {} : { replication: { ...replication } }),
  };
  const way = await wayBack(run, { ...servers, repository });
  recordWay(run, way, run.input.target === undefined ? 'archive' : 'person');
  const { lost } = await run.check('What will be lost is known', () => noteLost(run, timeline, repository, way));
  const restoring: Restoring = { ...servers, repository, service: momentOf(run, timeline, lost, way) };
  const rooms = await roomOnEach(run, restoring, way, 1);
  await placesAreFit(run, restoring);
  proveNothingIsBeside(run, restoring);
  return { restoring, way, rooms, lost, keptOut };
}

/** @returns the version of the servers' programs, which must be the same everywhere */
async function hostsAreReady(run: RestoreRun, primary: Member, standbys: Member[]): Promise<number> {
  const { plan } = run;
  const all = await run.together(
    ...[primary, ...standbys].map(
      (one) => (): Promise<HostFacts> =>
        run.check(`Host ${one.host} is ready`, () =>
          run.host(one.host).hostFacts({
            backups: plan.backups.physical,
            scratch: placeOf(run, one).scratch,
            ...(plan.application.smoke.live && one === primary ? { smoke: plan.application.smoke.command } : {}),
          }),
        ),
    ),
  );
  await run.check('All hosts have the same versions', async () => alike([primary, ...standbys], all));
  return all[0]?.serverVersion ?? 0;
}

function alike(members: Member[], facts: readonly HostFacts[]): Found {
  const major = ({ serverVersion }: HostFacts) => Math.floor(serverVersion / 10_000);
  const said = members.map(({ host }, index) => {
    const one = facts[index];
    return one === undefined ? host : `${host} has PostgreSQL ${major(one)}, C library ${one.libc ?? 'unknown'}`;
  });
  const differ = (of: (one: HostFacts) => unknown) => new Set(facts.map(of)).size > 1;
  if (differ(major) || differ(({ libc }) => libc))
    throw failure(
      'VersionMismatch',
      `${said.join('; ')}; expected the same on every member: text indexes sorted by one C library can be wrong with another. Install the same versions.`,
    );
  return { found: said.join('; '), expected: 'the same major version and C library on every member' };
}

async function archiveAlone(run: RestoreRun, primary: Member) {
  const backups = run.plan.backups.physical;
  const host = run.host(primary.host);
  const { scratch } = placeOf(run, primary);
  const { segmentBytes = usualSegmentBytes } = await run.check('The size of a WAL segment is known', () =>
    host.segmentSize({ backups, scratch }),
  );
  const { found: _words, ...repository } = await run.check('The WAL archive answers', () =>
    host.repository({ backups, segmentBytes, outageWithinMs: run.patienceMs() }),
  );
  await run.check('The evidence store answers', () =>
    run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
  );
  return repository;
}

async function placesAreFit(run: RestoreRun, restoring: Restoring): Promise<void> {
  await run.together(
    ...membersOf(restoring).map(
      (one) => () =>
        run.check(`A restored data directory can take its place on ${one.host}`, async () => {
          const found = await run
            .host(one.host)
            .canReplace({ ...placeIn(run, restoring, one), backups: run.plan.backups.physical });
          if (found.state !== 'untouched')
            throw failure(
              'Moved',
              `the place on ${one.host} is ${found.state} by this very run already (${found.found}), expected untouched.`,
            );
          return found;
        }),
    ),
  );
}
