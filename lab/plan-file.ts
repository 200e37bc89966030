import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { buckets, region, stanza } from './backrest.ts';
import { certificates } from './certificates.ts';
import { backend } from './front-door.ts';
import { packageRoot } from './home.ts';
import { type PeopleOptions, peopleSection } from './people.ts';
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

function facts(site: Site, { heartbeat, keepFree }: PlanChanges): Record<string, unknown> {
  const { hosts, layout, ports, tuning } = site;
  const secret = (name: Parameters<typeof secretFile>[1]) => `\${file:${secretFile(layout.secrets, name)}}`;
  return {
    'sites.east.hosts': Object.fromEntries(hosts.map((host) => [host, '127.0.0.1'])),
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
    'backups.physical.config': layout.backupConfiguration,
    'backups.physical.archiveTimeout': tuning.archiveTimeout,
    'application.smoke.command': [layout.smoke],
    'traffic.socket': layout.frontDoorSocket,
    'traffic.backend': backend,
    'traffic.stateFile': layout.frontDoorStates,
    'pulse.log': layout.pulse,
    'evidence.endpoint': `https://localhost:${ports.store.number}`,
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
