/** What must be true before a byte is restored. Everything here only reads; nothing is switched or flushed for the occasion. */
import type { Found, HostFacts, Room, Scratch, ServiceMoment } from '../../activities/shapes.ts';
import { secretNames } from '../../plan/hosts.ts';
import type { BackupInfo, Repository } from '../../recovery/archive.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';
import { type Clocks, database } from './clocks.ts';

/** T0, the drill's first moment on the database's clock, and what was archived then: read in one query. */
export function pretendDisaster(run: Run, clocks: Clocks): Promise<ServiceMoment> {
  return run.check('The service answers through its front door', async () => {
    const service = await clocks.read(database, () =>
      run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor }),
    );
    run.record({ incidentAt: service.at });
    return service;
  });
}

/** Everything that a restore will stand on answers: store, archive, host. */
export async function assessSurroundings(
  run: Run,
  scratch: Scratch,
  service: ServiceMoment,
  clocks: Clocks,
): Promise<Repository> {
  const { plan } = run;
  await run.check('No live recovery is going on', () => run.control.noLiveRun({ service: plan.service }));
  await run.check('The secrets of the plan resolve', () => run.control.resolveSecrets({ names: secretNames(plan) }));
  const host = run.host(scratch.host);
  const [repository] = await run.together(
    () =>
      run.check('The WAL archive answers', () =>
        host.repository({
          backups: plan.backups.physical,
          segmentBytes: service.segmentBytes,
          outageWithinMs: run.patienceMs(),
        }),
      ),
    () =>
      run.check('The evidence store answers', () =>
        run.control.storeAnswers({ store: plan.evidence, outageWithinMs: run.patienceMs() }),
      ),
    () =>
      run.check('The drill host is ready', async () =>
        sameVersions(
          service,
          await clocks.read(`host ${scratch.host}`, () =>
            host.hostFacts({
              backups: plan.backups.physical,
              scratch,
              smoke: plan.application.smoke.command,
              extensions: service.extensions,
            }),
          ),
        ),
      ),
  );
  return repository;
}

/** @param what the host that was asked, as people read it */
export function sameVersions(service: ServiceMoment, host: HostFacts, what = 'the drill host'): HostFacts {
  const major = (version: number) => Math.floor(version / 10_000);
  if (major(service.serverVersion) !== major(host.serverVersion))
    throw failure(
      'VersionMismatch',
      `the service runs PostgreSQL ${major(service.serverVersion)}, ${what} has ${major(host.serverVersion)}. Install the same major version there.`,
    );
  const { provider, version } = service.collation;
  if (provider === 'libc' && version !== undefined && host.libc !== undefined && version !== host.libc)
    throw failure(
      'VersionMismatch',
      `the database's indexes were sorted with C library ${version}, ${what} has ${host.libc}: text indexes could be wrong there. Use a host with the same version.`,
    );
  return host;
}

/** A tablespace made after the backup would be replayed onto the directory of the live one, on this host. */
export function noYoungTablespace(run: Run, backup: BackupInfo, service: ServiceMoment): Promise<Found> {
  return run.check('No tablespace is younger than the backup', async () => {
    const known = new Set(backup.tablespaces.map((one) => one.oid));
    const young = service.tablespaces.filter((one) => !known.has(one.oid));
    if (young.length > 0)
      throw failure(
        'TablespaceUnsafe',
        `${young.map((one) => one.location).join(', ')} was made after backup ${backup.label}: replaying that here would relink to the live directory and destroy it. Take a new backup: lifeboat backup ${run.plan.service}`,
      );
    return { found: `${service.tablespaces.length} tablespaces, all in the backup` };
  });
}

/** A recovery fetches WAL ahead of what it replays, at most this much beyond the target. */
const fetchedAheadBytes = 256 * 1024 * 1024;

/** Room for the data and all the WAL, and what the plan wants to stay free. */
export async function roomForRestore(
  run: Run,
  scratch: Scratch,
  backup: BackupInfo,
  walBytes: number,
  name = 'There is room on the drill host',
): Promise<Room> {
  const room = {
    bytes: backup.bytes + walBytes + Math.min(walBytes, fetchedAheadBytes),
    keepFree: run.plan.drills.monthly.keepFree,
  };
  await run.check(name, () => run.host(scratch.host).roomFor({ scratch, ...room }));
  return room;
}
