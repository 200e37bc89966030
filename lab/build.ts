import { chmod, mkdir } from 'node:fs/promises';
import { needParts } from '../parts/parts.ts';
import { databaseAccount } from './account.ts';
import { configureBackups, createStanza, createStanzaBeside } from './backrest.ts';
import { makeCertificates } from './certificates.ts';
import { command } from './command.ts';
import { demolish } from './demolish.ts';
import { startDns } from './dns.ts';
import { startEngine } from './engine.ts';
import { startFrontDoor, startRoleEndpoint } from './front-door.ts';
import { type Guard, startGuard } from './guarded.ts';
import { homeFor } from './home.ts';
import { makeHostFolders } from './host.ts';
import { type Host, hosts, type Layout, layout } from './layout.ts';
import { startLifeboat } from './lifeboat.ts';
import { startLinks } from './links.ts';
import { startNameDoor } from './name-door-process.ts';
import { startFirst, startStandbys } from './patroni/servers.ts';
import { type PatroniSettings, usualSettings } from './patroni/settings.ts';
import { makePeople, type PeopleOptions } from './people.ts';
import { writePlan } from './plan-file.ts';
import { configureServer, makeSlot, standbyStreams, startServer } from './postgres.ts';
import { doorAddress, regionsOf } from './regions.ts';
import { drawSecrets, giveStoreKey, readSecrets, writeSecrets } from './secrets.ts';
import { makeDatabase } from './seed.ts';
import { startLoad, startShop } from './shop-processes.ts';
import { type PortName, type Programs, releasePorts, reservePorts, type Site, together } from './site.ts';
import { startGateway, startWorkspace } from './slack-processes.ts';
import { makeBuckets, startOtherStore, startStore } from './store.ts';

export interface BuildOptions {
  /** A folder that does not exist, or is empty; it is removed at the end. */
  root: string;
  /** The primary in the east, its standby in the west; each with a store, a front door and a link of its own, and one name for both. */
  twoSites?: boolean;
  /** Three servers that Patroni keeps, and the store with its lock, instead of the usual pair. */
  patroni?: Partial<PatroniSettings>;
  /** Orders to begin with: 450,000 make about 1 GB. */
  rows?: number;
  /** 16 when absent; tests take 1. */
  walSegmentMb?: 1 | 2 | 4 | 8 | 16;
  /** `30s` when absent. */
  archiveTimeout?: string;
  /** A folder made by `prepareTemplate`; `rows` and `walSegmentMb` then are the template's. */
  template?: string;
  say?: (line: string) => void;
  load?: { ordersPerSecond: number };
  ui?: boolean;
  /** `workers.heartbeat` of the plan. */
  heartbeat?: string;
  /** `drills.monthly.keepFree` of the plan. */
  keepFree?: string;
  /** Without Lifeboat's processes. */
  lifeboat?: boolean;
  /** Workers that only read. */
  readOnly?: boolean;
  /** Workers that stand still where they are told to, so that somebody can be killed there. */
  killPoints?: boolean;
  /** Without the Temporal server, which Lifeboat's processes need. */
  engine?: boolean;
  /** Without the shop. */
  shop?: boolean;
  /** Without the fault proxy before the object store, through which every byte would have to go. */
  faults?: boolean;
  /** People who are asked, in the plan; they have keys of their own (`lab/people.ts`). */
  people?: PeopleOptions;
  /** Their workspace, with the gateway to it; needs `people`. */
  slack?: boolean;
  /** Ports that people find easily, taken when they are free. */
  prefer?: Partial<Record<PortName, number>>;
  /** Gives the estate up while it is being built. */
  signal?: AbortSignal;
}

export interface Built extends Site {
  /** Ends it when this process dies before it could. */
  guard: Guard;
  /** Set once it is being taken down. */
  demolition?: Promise<void>;
}

/** @throws what went wrong, after all that had been started is gone again */
export async function build(options: BuildOptions): Promise<Built> {
  const site = await prepare(options);
  try {
    await makeFolders(site.layout);
    await settle(site, options);
    await raise(site, options);
    return site;
  } catch (error) {
    site.giveUp(error);
    await demolish(site);
    // What an interruption breaks says less than the interruption.
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await releasePorts(site.ports);
  }
}

export const programNames = ['postgresql', 'pgbackrest', 'haproxy', 'temporal', 'versitygw', 'openssl'] as const;

async function findPrograms(say: (line: string) => void, twoSites: boolean): Promise<Programs> {
  const parts = await needParts(programNames, say);
  const more = twoSites ? await needParts(['toxiproxy', 'named', 'nsupdate'], say) : undefined;
  return {
    postgresql: parts.postgresql.path,
    pgbackrest: parts.pgbackrest.path,
    haproxy: parts.haproxy.path,
    temporal: parts.temporal.path,
    versitygw: parts.versitygw.path,
    openssl: parts.openssl.path,
    ...(more === undefined ? {} : { toxiproxy: more.toxiproxy.path, named: more.named.path }),
  };
}

/** Only where an estate needs them. */
async function findPatroni(say: (line: string) => void): Promise<Pick<Programs, 'patroni' | 'etcd'>> {
  const { patroni, etcd } = await needParts(['patroni', 'etcd'], say);
  return { patroni: patroni.path, etcd: etcd.path };
}

const ofPatroni: readonly Host[] = ['db1', 'db2', 'db3'];

async function prepare(options: BuildOptions): Promise<Built> {
  const say = options.say ?? (() => undefined);
  const programs = {
    ...(await findPrograms(say, options.twoSites === true)),
    ...(options.patroni === undefined ? {} : await findPatroni(say)),
  };
  const account = await databaseAccount();
  const home = await homeFor(account, say);
  const given = new AbortController();
  return {
    layout: layout(options.root),
    twoSites: options.twoSites ?? false,
    hosts: options.patroni === undefined ? hosts : ofPatroni,
    ...(options.patroni === undefined ? {} : { patroni: { ...usualSettings, ...options.patroni } }),
    programs,
    account,
    home,
    secrets: drawSecrets(),
    tuning: {
      walSegmentMb: options.walSegmentMb ?? 16,
      archiveTimeout: options.archiveTimeout ?? '30s',
      sharedBuffersMb: (options.rows ?? 0) > 100_000 ? 256 : 32,
    },
    ports: await reservePorts(options.prefer ?? {}),
    processes: new Map(),
    say,
    signal: options.signal ? AbortSignal.any([options.signal, given.signal]) : given.signal,
    giveUp: (reason) => given.abort(reason),
    guard: await startGuard(options.root),
  };
}

async function makeFolders(places: Layout): Promise<void> {
  // The database's account must come through, whatever the caller's umask is.
  const before = process.umask(0o022);
  try {
    for (const folder of [places.root, places.logs, places.pids, places.ready, places.certificates, places.plans])
      await mkdir(folder, { recursive: true, mode: 0o755 });
    // Each file in it is closed; host workers come through to the store's key, which is theirs too.
    await mkdir(places.secrets, { recursive: true, mode: 0o711 });
    // A folder made by mkdtemp is its maker's alone.
    await chmod(places.root, 0o755);
  } finally {
    process.umask(before);
  }
}

/** Secrets and certificates: new ones, or those that the template's backups were made with. */
async function settle(site: Built, { template }: BuildOptions): Promise<void> {
  const { layout: places, programs, signal } = site;
  if (template === undefined) {
    await makeCertificates(places.certificates, programs.openssl);
    await writeSecrets(places.secrets, site.secrets);
  } else {
    await command('cp', ['-a', `${template}/.`, places.root], { signal });
    site.secrets = await readSecrets(places.secrets);
  }
  await giveStoreKey(places.secrets, site.account);
}

async function raise(site: Built, options: BuildOptions): Promise<void> {
  const { engine = true, lifeboat = true, shop = true, faults = true } = options;
  const { ui = false, readOnly = false, killPoints = false } = options;
  await makeHostFolders(site);
  await configureBackups(site);
  if (options.people !== undefined) await makePeople(site);
  if (site.twoSites) await nameTheService(site);
  await writePlan(site, options);
  await together(
    site,
    () => startStore(site, faults),
    async () => void (site.twoSites && (await startOtherStore(site))),
    () => startServers(site, options),
    async () => void (engine && (await startEngine(site, ui))),
  );
  await prepareArchive(site, options);
  if (site.patroni !== undefined) await startStandbys(site);
  if (options.slack) await startWorkspace(site);
  await together(
    site,
    () => leadIn(site),
    async () => void (engine && lifeboat && (await startLifeboat(site, { readOnly, ui, killPoints }))),
    async () => void (engine && lifeboat && options.slack && (await startGateway(site))),
  );
  if (shop) await startShop(site);
  if (shop && options.load) await startLoad(site, options.load.ordersPerSecond);
}

/** A name that leads to the east, with a TTL that people can wait out. */
async function nameTheService(site: Site): Promise<void> {
  const { programs, layout: places, ports } = site;
  if (programs.named === undefined) throw new Error('an estate of one site has no name that leads to it');
  const { entry } = await startDns(site, {
    named: programs.named,
    directory: places.dns,
    ports: { zone: ports.dns, resolver: ports.resolver },
    sites: doorAddress,
    ttlSeconds: 3,
  });
  site.entry = entry;
}

async function startServers(site: Site, options: BuildOptions): Promise<void> {
  if (site.patroni !== undefined) return startFirst(site, options);
  const { template, rows } = options;
  if (template === undefined) await makeDatabase(site, rows ?? 2_000);
  for (const host of site.hosts) await configureServer(site, host);
  await startServer(site, 'db1');
  if (site.twoSites) await startLinks(site);
  await makeSlot(site);
  await startServer(site, 'db2');
  await standbyStreams(site);
}

async function prepareArchive(site: Site, { template }: BuildOptions): Promise<void> {
  if (site.twoSites) {
    await makeBuckets(site, 'west');
    await createStanzaBeside(site, 'db2');
  }
  if (template !== undefined) return;
  await makeBuckets(site, 'east');
  await createStanza(site);
}

/** Patroni says itself which server is the primary, by the same question. */
async function leadIn(site: Site): Promise<void> {
  if (site.patroni === undefined)
    await together(site, ...site.hosts.map((host) => () => startRoleEndpoint(site, host)));
  await Promise.all(regionsOf(site).map((region) => startFrontDoor(site, region)));
  if (site.twoSites) await startNameDoor(site);
}
