/** A zone and a resolver of it, by BIND; and an nsupdate that can be told to meet with an accident. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Dns, startDns } from '../../../lab/dns.ts';
import { reservePort } from '../../../lab/ports.ts';
import { partPath, removeDirectory, scratchDirectory } from '../control/rig.ts';

export interface Zone extends Dns {
  secret: string;
  /** By somebody else, with the same key: lines of nsupdate. */
  byHand(...lines: string[]): Promise<void>;
  /** From now on: shell, with `real` for the true program, and its input in `$input`. */
  nsupdateDoes(script: string): Promise<void>;
  /** Arguments and environment of every nsupdate that an activity has started, and the logs of the servers. */
  seenOutside(): Promise<string>;
  stop(): Promise<void>;
}

/** The record leads to east at the beginning. */
export async function startZone(): Promise<Zone> {
  const root = await scratchDirectory('entry');
  const [logs, pids, bin] = [join(root, 'logs'), join(root, 'pids'), join(root, 'bin')];
  for (const folder of [logs, pids, bin]) await mkdir(folder);
  const dns = await startDns(
    {
      layout: { root, logs, pids },
      processes: new Map(),
      say: (line) => console.log(line),
      signal: new AbortController().signal,
    },
    {
      named: await partPath('named'),
      directory: join(root, 'dns'),
      ports: { zone: await reservePort(), resolver: await reservePort() },
      sites: { east: '127.0.0.10', west: '127.0.0.20' },
      ttlSeconds: 3,
    },
  );
  const { entry, keyFile, server, resolver } = dns;
  const secret = (await readFile(keyFile, 'utf8')).trim();
  const nsupdate = await partPath('nsupdate');
  const input = (lines: string[]) =>
    [
      `server ${entry.server.host} ${entry.server.port}`,
      `zone ${entry.zone}`,
      `key ${entry.key.algorithm}:${entry.key.name} ${secret}`,
      ...lines,
      'send\n',
    ].join('\n');
  const nsupdateDoes = async (script: string) => {
    await writeFile(
      join(bin, 'nsupdate'),
      `#!/bin/sh
{ printf '%s ' "$@"; env; } >> ${root}/outside
input=${root}/input
real() { ${nsupdate} -v -t 5 "$@"; }
cat > $input
${script}
`,
    );
    await chmod(join(bin, 'nsupdate'), 0o755);
  };
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  await nsupdateDoes('real $input');
  return {
    ...dns,
    secret,
    byHand: async (...lines) => void (await execa(nsupdate, ['-v'], { input: input(lines) })),
    nsupdateDoes,
    seenOutside: async () => {
      const files = [join(root, 'outside'), server.logFile, resolver.logFile];
      return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
    },
    stop: async () => {
      process.env.PATH = before;
      await resolver.stop();
      await server.stop();
      await removeDirectory(root);
    },
  };
}
