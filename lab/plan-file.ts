import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { buckets, region, stanza } from './backrest.ts';
import { certificates } from './certificates.ts';
import { backend, listensOn } from './front-door.ts';
import { packageRoot } from './home.ts';
import { restUser, scope } from './patroni/settings.ts';
import { type PeopleOptions, peopleSection } from './people.ts';
import { hostsIn, type Region, regionOf, regionsOf, storePort } from './regions.ts';
import { secretFile } from './secrets.ts';
import type { Site } from './site.ts';
import { slackApi } from './slack-processes.ts';

export interface PlanChanges {
  heartbeat?: string;
  /** Room that a drill must leave free; tests need little. */
  keepFree?: string;
  people?: PeopleOptions;
  slack?: boolean;
}

/** Writes the example plan with this estate's places, ports and secrets in it. */
export async function writePlan(site: Site, changes: PlanChanges): Promise<void> {
  const example = await readFile(join(packageRoot, 'examples', 'orders.yaml'), 'utf8');
  // The editor's hint on the first line leads to a file beside the example, which is not here.
  const plan = parseDocument(example.slice(example.indexOf('\n')));
  for (const [path, value] of Object.entries(facts(site, changes))) plan.setIn(path.split('.'), plan.createNode(value));
  if (site.patroni !== undefined) ofPatroni(site, plan);
  if (changes.people !== undefined)
    plan.setIn(
      ['people'],
      plan.createNode(
        await peopleSection(site.layout.root, changes.people, changes.slack ? slackApi(site) : undefined),
      ),
    );
  await mkdir(site.layout.plans, { recursive: true });
  await writeFile(site.layout.planFile, plan.toString({ lineWidth: 0 }));
}

function trafficOf({ layout }: Site, region: Region): Record<string, string> {
  const { socket, states } = layout.door(region);
  return { kind: 'haproxy', socket, backend, stateFile: states };
}

/** As a person writes it: the TTL in words. */
function entryInWords({ entry }: Site): Record<string, unknown> {
  if (entry === undefined) throw new Error('an estate of one site has no name that leads to it');
  return { ...entry, ttl: `${entry.ttl / 1_000}s` };
}

/** Each region with a front door, a store and a way of its own to the other one. */
function sitesOf(site: Site): Record<string, unknown> {
  const { layout, ports } = site;
  return {
    sites: Object.fromEntries(
      regionsOf(site).map((region) => {
        const { address, port } = listensOn(site, region);
        const link = region === 'east' ? ports.linkToWest : ports.linkToEast;
        const elsewhere = site.hosts.filter((host) => regionOf(site, host) !== region);
        const own = {
          hosts: Object.fromEntries(hostsIn(site, region).map((host) => [host, '127.0.0.1'])),
          frontDoor: { host: address, port: port.number },
          traffic: trafficOf(site, region),
          backups: { config: layout.backupConfiguration(region) },
          reaches: Object.fromEntries(elsewhere.map((host) => [host, { address: '127.0.0.1', port: link.number }])),
        };
        return [region, own];
      }),
    ),
    entry: entryInWords(site),
    // Its host worker is lost with a site: then a person has to say that it is off.
    'failover.fencing': [{ kind: 'postgres' }, { kind: 'attestation', validFor: '30m' }],
  };
}

function facts(site: Site, { heartbeat, keepFree }: PlanChanges): Record<string, unknown> {
  const { hosts, layout, ports, tuning } = site;
  const secret = (name: Parameters<typeof secretFile>[1]) => `\${file:${secretFile(layout.secrets, name)}}`;
  return {
    ...(site.twoSites
      ? sitesOf(site)
      : { 'sites.east.hosts': Object.fromEntries(hosts.map((host) => [host, '127.0.0.1'])) }),
    'database.frontDoor.host': '127.0.0.1',
    'database.frontDoor.port': ports.frontDoor.number,
    'database.frontDoor.password': secret('orders'),
    'database.members': hosts.map((host) => ({
      host,
      port: ports[host].number,
      dataDirectory: layout.host(host).data,
      control: { kind: 'pg_ctl', log: layout.host(host).serverLog },
      beside: layout.host(host).scratch,
    })),
    'database.replication': { user: 'replicator', passfile: layout.passfile },
    'backups.physical.stanza': stanza,
    'backups.physical.config': layout.backupConfiguration('east'),
    'backups.physical.archiveTimeout': tuning.archiveTimeout,
    'application.smoke.command': [layout.smoke],
    ...Object.fromEntries(Object.entries(trafficOf(site, 'east')).map(([key, value]) => [`traffic.${key}`, value])),
    'pulse.log': layout.pulse,
    'evidence.endpoint': `https://localhost:${storePort(site, site.twoSites ? 'west' : 'east')}`,
    'evidence.region': region,
    'evidence.bucket': buckets.evidence,
    'evidence.accessKeyId': secret('accessKeyId'),
    'evidence.secretAccessKey': secret('secretAccessKey'),
    'evidence.caFile': certificates(layout.certificates).authority,
    'evidence.directory': layout.evidence,
    pages: `http://127.0.0.1:${ports.pages.number}`,
    'drills.monthly.directory': layout.host('db2').scratch,
    ...(keepFree === undefined ? {} : { 'drills.monthly.keepFree': keepFree }),
    ...(heartbeat === undefined ? {} : { 'workers.heartbeat': heartbeat }),
  };
}

function ofPatroni({ hosts, layout, ports }: Site, plan: Document): void {
  const urls = Object.fromEntries(hosts.map((host) => [host, `http://127.0.0.1:${ports[`role-${host}`].number}`]));
  const password = `\${file:${secretFile(layout.secrets, 'patroni')}}`;
  // Last of the standbys: nobody makes it the primary without need.
  const drills = hosts.at(-1) ?? 'db1';
  const facts = {
    'database.kind': 'patroni',
    'database.scope': scope,
    'database.rest': { urls, user: restUser, password },
    'database.leaderWithin': '60s',
    'database.members': hosts.map((host) => ({
      host,
      port: ports[host].number,
      dataDirectory: layout.host(host).data,
    })),
    'drills.monthly.host': drills,
    'drills.monthly.directory': layout.host(drills).scratch,
  };
  plan.deleteIn(['database', 'replication']);
  for (const [path, value] of Object.entries(facts)) plan.setIn(path.split('.'), plan.createNode(value));
}
