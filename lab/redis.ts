/** A cache that Redis Sentinel keeps: one master, two replicas, three Sentinels, each in a folder of its own, with passwords. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ComponentOf } from '../plan/components.ts';
import type { Account } from './account.ts';
import type { Port } from './ports.ts';
import type { EstateProcess } from './process.ts';
import { asked, masterBy, masterName, settled } from './redis-words.ts';
import { type Ground, launch } from './site.ts';

type Cache = ComponentOf<'redis-sentinel'>;

export interface RedisWanted {
  /** Redis' server program; a Sentinel is the same by another word. */
  program: string;
  /** Below the estate's root, and shorter than the path of a socket may be. */
  directory: string;
  /** Hosts of the plan, one for each member: the first one's is the master at the beginning. */
  hosts: readonly string[];
  ports: { members: readonly Port[]; sentinels: readonly Port[] };
  /** Whose host workers touch the files; the caller's own when absent. */
  account?: Account;
  healthyWithinMs?: number;
}

export interface RedisEstate {
  /** As it stands in a plan that was loaded. */
  component: Cache;
  /** What the permit file of a host says of its members, beside the programs' directory. */
  permit(host: string): { caches: object[]; redis: string };
  /** By names of the processes: redis-1, redis-2, redis-3, sentinel-1, sentinel-2, sentinel-3. */
  servers: EstateProcess[];
  sentinels: EstateProcess[];
  passwordFile: string;
  /** Of a member, or of a Sentinel, by its own word. */
  ask(port: number, ...words: string[]): Promise<unknown>;
  /** One master, whom all follow, and three Sentinels that know each other. */
  settled(): Promise<void>;
  /** By the port of the master, as the first Sentinel that answers says. */
  master(): Promise<number>;
  stop(): Promise<void>;
}

export async function startRedis(ground: Ground, wanted: RedisWanted): Promise<RedisEstate> {
  const { directory, hosts, ports, account } = wanted;
  const password = randomBytes(18).toString('hex');
  await folder(directory, account, 0o755);
  const passwordFile = join(directory, 'redis.password');
  await writeFile(passwordFile, `${password}\n`);
  await given(passwordFile, account, 0o600);
  const [first] = ports.members;
  const numbers = ports.members.map(({ number }) => number);
  const members = hosts.map((host, index) => memberOf(wanted, host, index));
  const servers: EstateProcess[] = [];
  for (const [index, member] of members.entries())
    servers.push(
      await startMember(ground, wanted, { index, member, password, follows: index > 0 ? first : undefined }),
    );
  const sentinels: EstateProcess[] = [];
  for (const index of ports.sentinels.keys())
    sentinels.push(await startSentinel(ground, wanted, { index, password, master: first?.number ?? 0 }));
  const ask = (port: number, ...words: string[]) => asked(port, numbers.includes(port) ? password : undefined, words);
  const estate: RedisEstate = {
    component: {
      kind: 'redis-sentinel',
      after: [],
      master: masterName,
      sentinels: ports.sentinels.map(({ number }) => ({ host: '127.0.0.1', port: number })),
      members,
      password: `\${file:${passwordFile}}`,
      healthyWithin: wanted.healthyWithinMs ?? 25_000,
    },
    permit: (host) => ({
      caches: members
        .filter((one) => one.host === host)
        .map(({ dataDirectory, config, control }) => ({
          dataDirectory,
          config,
          ...control,
          restoreFrom: [join(directory, 'dump.rdb')],
        })),
      redis: dirname(wanted.program),
    }),
    servers,
    sentinels,
    passwordFile,
    ask,
    master: () => masterBy(ports.sentinels, ask),
    settled: () => settled(ports, ask),
    stop: async () => {
      for (const one of [...sentinels, ...servers]) await one.stop();
    },
  };
  await estate.settled();
  return estate;
}

function memberOf({ program, directory, ports }: RedisWanted, host: string, index: number): Cache['members'][number] {
  const port = ports.members[index]?.number ?? 0;
  const own = join(directory, `redis-${index + 1}`);
  const config = join(own, 'redis.conf');
  return {
    host,
    port,
    dataDirectory: join(own, 'data'),
    config,
    // Said again: Sentinel has the configuration rewritten by a server that the lab has started otherwise.
    control: { start: [program, config, '--daemonize', 'yes'], stop: ['/bin/sh', join(own, 'stop.sh')] },
  };
}

interface StartMember {
  index: number;
  member: Cache['members'][number];
  password: string;
  follows: Port | undefined;
}

async function startMember(
  ground: Ground,
  { program, ports, account }: RedisWanted,
  { index, member, password, follows }: StartMember,
): Promise<EstateProcess> {
  const own = dirname(member.config);
  await folder(own, account, 0o755);
  await folder(member.dataDirectory, account, 0o700);
  const pidFile = join(own, 'redis.pid');
  await writeFile(
    member.config,
    [
      `port ${member.port}`,
      'bind 127.0.0.1',
      `dir ${member.dataDirectory}`,
      `pidfile ${pidFile}`,
      `logfile ${join(own, 'redis.log')}`,
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      'repl-diskless-sync-delay 0',
      'repl-timeout 10',
      `requirepass ${password}`,
      `masterauth ${password}`,
      ...(follows === undefined ? [] : [`replicaof 127.0.0.1 ${follows.number}`]),
      '',
    ].join('\n'),
  );
  await given(member.config, account, 0o600);
  const cli = join(dirname(program), 'redis-cli');
  await writeFile(
    join(own, 'stop.sh'),
    `REDISCLI_AUTH=${password} exec ${cli} -h 127.0.0.1 -p ${member.port} shutdown nosave now force\n`,
  );
  await given(join(own, 'stop.sh'), account, 0o600);
  return launch(ground, {
    name: `redis-${index + 1}`,
    command: program,
    args: [member.config, '--daemonize', 'no'],
    cwd: own,
    ...(account === undefined ? {} : { account }),
    ports: ports.members.slice(index, index + 1),
    elsewhere: () => pidIn(pidFile, member.dataDirectory),
    ready: async () => (await asked(member.port, password, ['PING'])) === 'PONG',
  });
}

interface StartSentinel {
  index: number;
  password: string;
  master: number;
}

async function startSentinel(
  ground: Ground,
  { program, directory, ports, account }: RedisWanted,
  { index, password, master }: StartSentinel,
): Promise<EstateProcess> {
  const own = join(directory, `sentinel-${index + 1}`);
  await folder(own, account, 0o700);
  const config = join(own, 'sentinel.conf');
  const [port] = ports.sentinels.slice(index, index + 1);
  await writeFile(
    config,
    [
      `port ${port?.number}`,
      'bind 127.0.0.1',
      `dir ${own}`,
      `sentinel monitor ${masterName} 127.0.0.1 ${master} 2`,
      `sentinel auth-pass ${masterName} ${password}`,
      `sentinel down-after-milliseconds ${masterName} 1500`,
      // Twice this long passes between two failovers that it begins by itself.
      `sentinel failover-timeout ${masterName} 4000`,
      '',
    ].join('\n'),
  );
  await given(config, account, 0o600);
  return launch(ground, {
    name: `sentinel-${index + 1}`,
    command: program,
    args: [config, '--sentinel'],
    cwd: own,
    ...(account === undefined ? {} : { account }),
    ports: ports.sentinels.slice(index, index + 1),
    ready: async () => (await asked(port?.number ?? 0, undefined, ['PING'])) === 'PONG',
  });
}

/** Whoever has started it: it works in its own directory. */
function pidIn(pidFile: string, directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim());
    const words = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const dead = / Z /.test(words.slice(words.lastIndexOf(')')));
    return !dead && readlinkSync(`/proc/${pid}/cwd`) === directory ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function folder(path: string, account: Account | undefined, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await given(path, account, mode);
}

async function given(path: string, account: Account | undefined, mode: number): Promise<void> {
  await chmod(path, mode);
  if (account?.ids) await chown(path, account.ids.uid, account.ids.gid);
}

/** Of the plan's words, for a plan that is written as a file. */
export function inWords({ component }: Pick<RedisEstate, 'component'>): object {
  const { healthyWithin, ...rest } = component;
  return { ...rest, healthyWithin: `${healthyWithin}ms` };
}
