/**
 * The name by which clients come, in a zone that really resolves: the zone's own server, which takes updates that are signed with the right
 * key, and a resolver with a memory of its own, as clients have one.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askDns } from '../activities/entry/question.ts';
import type { DnsServer, DnsUpdateEntry } from '../plan/entry.ts';
import type { Port } from './ports.ts';
import type { EstateProcess } from './process.ts';
import { type Ground, launch } from './site.ts';

export interface DnsWanted {
  /** BIND's server program. */
  named: string;
  /** Below the estate's root. */
  directory: string;
  ports: { zone: Port; resolver: Port };
  /** What the record says while a site serves, by site: the first one serves at the beginning. */
  sites: Record<string, string>;
  ttlSeconds: number;
}

export interface Dns {
  /** As it stands in the plan of a service. */
  entry: DnsUpdateEntry;
  /** Holds the key, as the plan names it. */
  keyFile: string;
  /** Keeps the zone. */
  server: EstateProcess;
  resolver: EstateProcess;
}

const zone = 'lifeboat.test';
const key = { name: 'lifeboat-key', algorithm: 'hmac-sha256' } as const;
const type = 'A';

/** Both of them, named `dns` and `resolver`; a resolver that has asked nothing yet. */
export async function startDns(ground: Ground, wanted: DnsWanted): Promise<Dns> {
  const { directory, ports } = wanted;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const secret = randomBytes(32).toString('base64');
  const keyFile = join(directory, 'key.secret');
  await writeFile(keyFile, `${secret}\n`, { mode: 0o600 });
  // Where AppArmor confines Debian's named to /etc/bind and /var, it does so by the program's path.
  const program = join(directory, 'named');
  await copyFile(wanted.named, program);
  const entry = entryOf(wanted, keyFile);
  await writeFile(join(directory, 'zone'), zoneFile(entry));
  const server = await startNamed(ground, {
    name: 'dns',
    program,
    port: ports.zone,
    directory: join(directory, 'server'),
    options: ['recursion no;'],
    rest: [
      `key "${key.name}" { algorithm ${key.algorithm}; secret "${secret}"; };`,
      `zone "${zone}" { type primary; file "${join(directory, 'zone')}"; update-policy { grant ${key.name} name ${entry.name} A AAAA CNAME; }; };`,
    ],
  });
  const resolver = await startNamed(ground, {
    name: 'resolver',
    program,
    port: ports.resolver,
    directory: join(directory, 'resolver'),
    // It forgets when a TTL is over, and asks nobody before that.
    options: ['recursion yes;', 'prefetch 0;', 'forward only;', `forwarders { 127.0.0.1 port ${ports.zone.number}; };`],
    rest: [],
  });
  return { entry, keyFile, server, resolver };
}

function entryOf({ ports, sites, ttlSeconds }: DnsWanted, keyFile: string): DnsUpdateEntry {
  return {
    kind: 'dns-update',
    name: `orders.${zone}`,
    type,
    ttl: ttlSeconds * 1_000,
    zone,
    server: { host: '127.0.0.1', port: ports.zone.number },
    key: { ...key, secret: `\${file:${keyFile}}` },
    resolvers: [{ host: '127.0.0.1', port: ports.resolver.number }],
    sites,
  };
}

function zoneFile({ name, ttl, sites }: DnsUpdateEntry): string {
  const [first = ''] = Object.values(sites);
  return `$TTL 60
@ IN SOA ns1.${zone}. hostmaster.${zone}. 1 3600 600 86400 1
@ IN NS ns1.${zone}.
ns1 IN A 127.0.0.1
${name}. ${ttl / 1_000} IN ${type} ${first}
`;
}

interface Named {
  name: string;
  program: string;
  port: Port;
  directory: string;
  options: string[];
  rest: string[];
}

async function startNamed(ground: Ground, wanted: Named): Promise<EstateProcess> {
  const { name, program, port, directory, options, rest } = wanted;
  await mkdir(directory, { mode: 0o700 });
  const configuration = join(directory, 'named.conf');
  const common = [
    `directory "${directory}";`,
    `pid-file "${join(directory, 'named.pid')}";`,
    `session-keyfile "${join(directory, 'session.key')}";`,
    'lock-file none;',
    `listen-on port ${port.number} { 127.0.0.1; };`,
    'listen-on-v6 { none; };',
    'dnssec-validation no;',
    'allow-transfer { none; };',
    'notify no;',
  ];
  await writeFile(
    configuration,
    // Without a control channel: the usual one is the machine's own.
    [`options { ${[...common, ...options].join(' ')} };`, 'controls { };', ...rest, ''].join('\n'),
    { mode: 0o600 },
  );
  return launch(ground, {
    name,
    command: program,
    args: ['-g', '-n', '1', '-c', configuration],
    ports: [port],
    ready: () => answers({ host: '127.0.0.1', port: port.number }),
  });
}

/** Of the zone's server's own name: a resolver then remembers nothing that anybody moves. */
async function answers(server: DnsServer): Promise<boolean> {
  const { code } = await askDns(server, { name: `ns1.${zone}`, type, recursive: true });
  return code === 'NOERROR';
}
