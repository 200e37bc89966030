/** What must be true before anybody is kept from writing. Everything here only reads, but for the end of a WAL segment. */
import type { ServerFacts } from '../../../activities/contract.ts';
import type { Found, ServiceMoment } from '../../../activities/shapes.ts';
import { formatBytes } from '../../../evidence/format.ts';
import { member, secretNames } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { doorOf, shareDoor } from '../../../plan/sites.ts';
import { againstReplacement } from '../../../recovery/replacement.ts';
import { lagBytes } from '../../../recovery/switchover.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import { sameVersions } from '../assess.ts';
import { Clocks, database } from '../clocks.ts';
import { everyRole, leadsTo, replicationOf } from '../members.ts';
import { soundArchive } from '../own-archive.ts';
import { refuseOnPatroni } from '../patroni/cluster.ts';
import { sayingHowItStands } from '../standing.ts';
import { noteLoss } from './loss.ts';
import { allOf, membersOf, placeOf, type Recovering, type RecoveryRun, type Servers, type Way } from './recovering.ts';
import { type Rooms, roomOnEach } from './restore.ts';
import { proveNothingIsBeside } from './serve.ts';
import { recordWay, understood, wayTo } from './way.ts';

export async function assessRecovery(run: RecoveryRun): Promise<{ recovering: Recovering; way: Way; rooms: Rooms }> {
  await refuseOnPatroni(
    run,
    'Restore beside and look there instead (lifeboat start monthly-drill, with a target), or recover in place with Patroni stopped everywhere, its cluster removed from its store, and a bootstrap method of Patroni that restores to the target.',
  );
  const said = run.input.target ?? '';
  const clocks = new Clocks();
  const wanted = understood(said);
  const servers = await assessServers(run);
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  const service = await run.check('The service answers through its front door', () =>
    clocks.read(database, () => run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor })),
  );
  await run.check('The secrets of the plan resolve', () =>
    run.control.resolveSecrets({ names: secretNames(run.plan) }),
  );
  await hostsAreReady(run, servers, service, clocks);
  await clocks.agree(run, service, wanted.kind === 'time' ? said : undefined);
  await run.check('The evidence store answers', () =>
    run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
  );
  // What was committed a moment ago is not archived yet, and is often what has to be gone back to.
  await run.change('End the WAL segment that is being written', endSegment(run, servers));
  const { found: _words, ...repository } = await run.check('The WAL archive answers', () =>
    run.host(servers.primary.host).repository({
      backups: run.plan.backups.physical,
      segmentBytes: service.segmentBytes,
      outageWithinMs: run.patienceMs(),
    }),
  );
  await soundArchive(run, repository, service);
  const recovering = { ...servers, service, repository };
  // Live, the segment that was being written then has been archived since.
  const archivedWhole = run.mode === 'live';
  const way = await wayTo(run, recovering, said, archivedWhole ? service.at : undefined);
  recordWay(run, way);
  const rooms = await roomOnEach(run, recovering, way, 1);
  await canBeReplaced(run, servers);
  proveNothingIsBeside(run, recovering);
  await run.check('What the target will lose is known', () =>
    noteLoss(run, recovering, way, { until: service.at, archivedWhole }),
  );
  return { recovering, way, rooms };
}

async function assessServers(run: RecoveryRun): Promise<Servers> {
  const found = await run.check('One member is the primary, and the others are its standbys', () =>
    sayingHowItStands(run, () => rolesOf(run)),
  );
  const { primary, standbys } = found;
  await run.holdService();
  for (const { host } of membersOf(found)) await run.hold(host);
  const { checked } = await run.check('The front door leads to the primary, and to nobody else', () =>
    sayingHowItStands(run, async () => {
      const { servers, found: words } = await run.control.doorState({
        traffic: doorOf(run.plan, primary.host).traffic,
      });
      const hosts = standbys.map(({ host }) => host).filter((host) => shareDoor(run.plan, host, primary.host));
      return { ...leadsTo(servers, primary.host, hosts), found: words };
    }),
  );
  const replication =
    standbys.length === 0
      ? undefined
      : await run.check('The plan says how a standby connects', async () => replicationOf(run));
  const { facts } = await run.check('Each member can be replaced by a restored one', () =>
    serversAsTheyAre(run, { primary, standbys }),
  );
  const { timeline, systemIdentifier, serverVersion } = facts;
  return {
    ...{ primary, standbys, timeline, systemIdentifier, serverVersion, checked },
    ...(replication === undefined ? {} : { replication: { ...replication } }),
  };
}

async function rolesOf(run: RecoveryRun): Promise<Found & Pick<Servers, 'primary' | 'standbys'>> {
  const { members, found } = await everyRole(run, 'any is replaced');
  const primaries = members.filter(({ role }) => role === 'primary');
  const [primary] = primaries;
  if (primary === undefined)
    throw failure('NotPrimary', `no member says that it is the primary (${found}); expected one`);
  if (primaries.length > 1)
    throw failure('SplitBrain', `${primaries.map(({ host }) => host).join(' and ')} say that they are the primary`);
  return {
    primary: member(run.plan, primary.host),
    standbys: members.filter(({ role }) => role === 'standby').map(({ host }) => member(run.plan, host)),
    found,
    expected: 'one primary, and all others its standbys',
  };
}

async function serversAsTheyAre(
  run: RecoveryRun,
  { primary, standbys }: Pick<Servers, 'primary' | 'standbys'>,
): Promise<Found & { facts: ServerFacts }> {
  const backups = run.plan.backups.physical;
  const ask = (one: Member) => run.host(one.host).serverFacts({ member: one, backups });
  const [facts, ...others] = await allOf(membersOf({ primary, standbys }).map(ask));
  if (facts === undefined) throw failure('Bug', 'a primary was found, and not asked');
  const against = againstReplacement(facts, others);
  if (against.length > 0)
    throw failure('StandbyUnfit', `the members cannot be replaced: ${against.join('; ')}. Then start again.`);
  const lags = others.map((one) => `${one.host} is ${formatBytes(lagBytes(facts, one))} behind`);
  const logical = facts.slots.filter(({ kind }) => kind === 'logical').map(({ name }) => name);
  const lost = logical.length === 0 ? [] : [`logical slots that will be gone: ${logical.join(', ')}`];
  const open = facts.prepared === 0 ? [] : [`${facts.prepared} prepared transactions are open`];
  return {
    facts,
    found: [`${facts.host} is the primary on timeline ${facts.timeline}`, ...lags, ...lost, ...open].join('; '),
    expected: 'members of one cluster, and a primary that archives',
  };
}

/** Everything that a restore needs, on each host. */
async function hostsAreReady(
  run: RecoveryRun,
  servers: Servers,
  service: ServiceMoment,
  clocks: Clocks,
): Promise<void> {
  const { plan } = run;
  await run.together(
    ...membersOf(servers).map(
      (one) => () =>
        run.check(`Host ${one.host} is ready`, async () =>
          sameVersions(
            service,
            await clocks.read(`host ${one.host}`, () =>
              run.host(one.host).hostFacts({
                backups: plan.backups.physical,
                scratch: placeOf(run, one).scratch,
                extensions: service.extensions,
                ...(plan.application.smoke.live && one === servers.primary
                  ? { smoke: plan.application.smoke.command }
                  : {}),
              }),
            ),
            `host ${one.host}`,
          ),
        ),
    ),
  );
}

function endSegment(run: RecoveryRun, { primary, timeline }: Servers): Change<unknown> {
  return {
    preview: async () => ({
      will: `end the WAL segment that ${primary.host} writes, and wait until it is in the archive`,
      yields: undefined,
    }),
    apply: () =>
      run.host(primary.host).archiveReaches({
        ...{ member: primary, backups: run.plan.backups.physical, timeline, withoutCheckpoint: true },
        outageWithinMs: run.patienceMs(),
      }),
    undo: { pointOfNoReturn: 'A segment that was ended early is only shorter.' },
  };
}

async function canBeReplaced(run: RecoveryRun, servers: Servers): Promise<void> {
  await run.together(
    ...membersOf(servers).map(
      (one) => () =>
        run.check(`The data directory on ${one.host} can be replaced`, async () => {
          const found = await run
            .host(one.host)
            .canReplace({ ...placeOf(run, one), backups: run.plan.backups.physical });
          if (found.state !== 'untouched')
            throw failure(
              'Moved',
              `the data directory of ${one.host} is ${found.state} by this very run already (${found.found}), expected untouched.`,
            );
          return found;
        }),
    ),
  );
}
