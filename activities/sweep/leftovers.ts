/** What lies on a host that a run of Lifeboat may have left. Looks, and touches nothing. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../child.ts';
import type { HostReads } from '../contract.ts';
import { beating } from '../heartbeat.ts';
import { loadPermit } from '../permit.ts';
import { madeBy } from '../postgres/made-by.ts';
import { exists, placesOf } from '../postgres/scratch.ts';
import { processesOf, scratchProcessesBelow, startOf } from '../processes.ts';
import type { LeftoverFound } from '../shapes.ts';
import { leftOnServer } from './on-servers.ts';
import { setAsideBy } from './set-aside.ts';

type Ask = Parameters<HostReads['leftovers']>[0];

/** A directory of millions of files is not counted to the end: its size is only for people. */
const sizeWithinMs = 60_000;

/**
 * Directories below the scratch roots that the permit file allows, processes that name one of them, and what Lifeboat has on the servers
 * of this host. Links are not followed.
 */
export async function leftovers(ask: Ask): ReturnType<HostReads['leftovers']> {
  const { scratch } = await loadPermit();
  const found = await beating(
    () => ({ looking: ask.host }),
    async () => {
      const directories = (await Promise.all(scratch.map((root) => directoriesIn(root, ask)))).flat();
      const processes = (await Promise.all(scratch.map((root) => strayProcesses(root, ask)))).flat();
      const onServers = await Promise.all(ask.members.map((member) => leftOnServer(member)));
      const setAside = (await Promise.all(ask.members.map((member) => setAsideBy(member)))).flat();
      return [...directories, ...processes, ...onServers.flatMap((one) => one.found), ...setAside];
    },
  );
  const words = found.map(({ what }) => what);
  return {
    leftovers: found,
    found: words.length === 0 ? `nothing in ${scratch.join(', ') || 'no scratch directory'}` : words.join('; '),
    expected: 'nothing but what a run that goes on uses',
  };
}

async function directoriesIn(root: string, ask: Ask): Promise<LeftoverFound[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries
      .filter((entry) => entry.name !== 'lost+found' && (entry.isDirectory() || entry.isSymbolicLink()))
      .map((entry) => directoryAt(join(root, entry.name), ask)),
  );
  return found.filter((one) => one !== undefined);
}

async function directoryAt(path: string, { host, service }: Ask): Promise<LeftoverFound | undefined> {
  const identity = await identityOf(path);
  if (identity === undefined) return undefined;
  const one = { host, kind: 'directory' as const, what: path, path, identity: identity.words };
  if (identity.link) return { ...one, link: true };
  const maker = await madeBy(path);
  if (maker?.service !== undefined && maker.service !== service) return undefined;
  const running = await processesOf(path);
  const bytes = await sizeOf(path);
  return {
    ...one,
    ...(bytes === undefined ? {} : { bytes }),
    since: maker?.madeAt ?? identity.changedAt,
    ...(maker === undefined ? {} : { madeBy: maker }),
    ...(running.length === 0 ? {} : { note: `${running.length} processes of it are running` }),
  };
}

/** Which directory it is, and whose: another one of the same name has another identity. `undefined` when it is gone. */
export async function identityOf(
  path: string,
): Promise<{ words: string; link: boolean; changedAt: string } | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const marker = found.isDirectory() ? await readFile(placesOf(path).madeBy, 'utf8').catch(() => '') : '';
  const whose = createHash('sha256').update(marker).digest('hex').slice(0, 16);
  return {
    words: `${found.dev}:${found.ino} ${whose}`,
    link: !found.isDirectory(),
    changedAt: found.mtime.toISOString(),
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  const { stdout } = await runTool('du', ['-s', '-x', '--block-size=1', '--', path], { withinMs: sizeWithinMs });
  const bytes = Number(/^\d+/.exec(stdout)?.[0]);
  return Number.isFinite(bytes) ? bytes : undefined;
}

/** Processes that were started for a directory which is not there any more. Those of one that is there belong to it. */
async function strayProcesses(root: string, { host }: Ask): Promise<LeftoverFound[]> {
  const found: LeftoverFound[] = [];
  for (const { pid, command, directory } of await scratchProcessesBelow(root)) {
    if (await exists(directory)) continue;
    found.push({
      host,
      kind: 'process',
      what: `process ${pid} (${command})`,
      path: directory,
      pid,
      identity: `${pid} ${await startOf(pid)}`,
      note: `was started for ${directory}, which is gone`,
    });
  }
  return found;
}
