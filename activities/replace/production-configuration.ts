/**
 * Production's configuration of today, brought into a restored data directory, which holds that of the backup's time. What lies outside of
 * the data directory stays where it is, for both.
 */
import { chmod, cp, lstat, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import {
  isServersOwn,
  type Named,
  namedByRules,
  namedBySettings,
  namedInWords,
  settingsIn,
  withoutRecovery,
} from '../../recovery/server-configuration.ts';
import { settingsOf, withSettings } from '../cluster/follower.ts';
import { writeDurably } from '../cluster/standby-only.ts';
import type { Following } from '../contract.ts';
import { exists } from '../postgres/scratch.ts';
import { wordsOfLastStart } from '../postgres/server-control.ts';

export interface Bringing {
  host: string;
  /** Where the data directory is when its server runs: configuration names it so. */
  dataDirectory: string;
  /** Where the live one lies now, without a link on its way. It is only read. */
  live: string;
  restored: string;
  follow?: Following;
}

/** Safe to repeat: what an earlier attempt has brought is brought again. Yields the files, relative to the data directory. */
export async function bringConfiguration(to: Bringing): Promise<string[]> {
  const { live, restored, follow } = to;
  const words = await wordsOfLastStart({ host: to.host, dataDirectory: live, port: 0 });
  const brought: string[] = [];
  for (const { path, log } of await namedFrom(to, startOf(to, words))) {
    const own = inside(to, path);
    if (own === undefined || isServersOwn(own.split('/')[0] ?? '')) continue;
    if (log) await makeAlike(join(live, own), join(restored, own));
    else if (await bring(join(live, own), join(restored, own))) brought.push(own);
  }
  const before = await readFile(join(live, 'postgresql.auto.conf'), 'utf8').catch(() => '');
  const kept = withoutRecovery(before, { staysStandby: follow !== undefined });
  const auto = follow === undefined ? kept : withSettings(kept, await settingsOf(follow));
  await writeDurably(join(restored, 'postgresql.auto.conf'), auto === '' ? '\n' : auto);
  await bring(join(live, 'postmaster.opts'), join(restored, 'postmaster.opts'));
  await rm(join(restored, 'postmaster.pid'), { force: true });
  // It holds the standby's password, where the plan gives one: of a standby it stays closed.
  await modesOf(live, restored, ['', 'pg_tblspc', ...(follow === undefined ? ['postgresql.auto.conf'] : [])]);
  return brought.sort();
}

/** Where the server looks first: by its words, then by what is usual. */
function startOf({ dataDirectory, follow }: Bringing, words: string[]): Named[] {
  const joined = words.join('\n');
  const [, named] = /(?:^|\n)(?:-c\n?|--)config[_-]file=(.*)/.exec(joined) ?? [];
  const [, home = dataDirectory] = /(?:^|\n)-D\n?(.*)/.exec(joined) ?? [];
  const configuration = named ?? join(home, 'postgresql.conf');
  const beside = (name: string) => join(dirname(configuration), name);
  const others = [beside('postgresql.conf'), join(dataDirectory, 'server.crt'), join(dataDirectory, 'server.key')];
  const { passfile = '', options = {} } = follow?.replication ?? {};
  return [
    { path: configuration, from: 'data', reads: 'settings' },
    // Read from the directory itself, wherever the configuration lies.
    { path: join(dataDirectory, 'postgresql.auto.conf'), from: 'data', reads: 'settings' },
    ...['pg_hba.conf', 'pg_ident.conf'].map((name): Named => ({ path: beside(name), from: 'data', reads: 'rules' })),
    ...others.map((path): Named => ({ path, from: 'data' })),
    { path: join(dataDirectory, 'log'), from: 'data', log: true },
    ...namedInWords([...words, passfile, ...Object.values(options)].join(' '), dataDirectory),
    ...namedBySettings(settingsIn(joined.replaceAll(/^(-c\n?|--)/gm, '')), dataDirectory),
  ];
}

/** All files that lead from these to others, and where they lead. Paths are absolute. */
async function namedFrom(to: Bringing, first: Named[]): Promise<Named[]> {
  const found = new Map<string, Named>();
  const queue = first.map((named) => ({ ...named, path: resolve(to.dataDirectory, named.path) }));
  for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
    if (found.has(one.path)) continue;
    found.set(one.path, one);
    const from = dirname(one.path);
    for (const next of await leadsTo(to, one))
      queue.push({ ...next, path: resolve(next.from === 'file' ? from : to.dataDirectory, next.path) });
  }
  return [...found.values()];
}

async function leadsTo(to: Bringing, { path, reads }: Named): Promise<Named[]> {
  const own = inside(to, path);
  const place = own === undefined ? path : join(to.live, own);
  if (reads === undefined || !(await exists(place))) return [];
  if (reads === 'directory') {
    const names = (await readdir(place)).filter((name) => name.endsWith('.conf'));
    return names.map((name) => ({ path: join(path, name), from: 'data', reads: 'settings' }));
  }
  const text = await readFile(place, 'utf8');
  return reads === 'rules' ? namedByRules(text) : namedBySettings(settingsIn(text), to.dataDirectory);
}

/** The path relative to the data directory, also by its name without links above it; `undefined` where it lies elsewhere. */
function inside({ dataDirectory, live }: Bringing, path: string): string | undefined {
  return [dataDirectory, join(dirname(live), basename(dataDirectory))]
    .map((data) => relative(data, path))
    .find((way) => way !== '' && way !== '..' && !way.startsWith('../'));
}

/** As it is there: also gone, when it is gone there. Links are brought as links. */
async function bring(from: string, to: string): Promise<boolean> {
  await rm(to, { recursive: true, force: true });
  const there = await lstat(from).catch(() => undefined);
  if (there === undefined) return false;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return true;
}

/** A directory that the server writes its log into: what lies in the live one stays with it. */
async function makeAlike(from: string, to: string): Promise<void> {
  const there = await lstat(from).catch(() => undefined);
  if (there?.isSymbolicLink()) await bring(from, to);
  else if (there?.isDirectory() && !(await exists(to))) await mkdir(to, { recursive: true, mode: there.mode & 0o777 });
}

/** A server that lets its group read keeps doing so. The replay had closed pg_tblspc. */
async function modesOf(live: string, restored: string, names: string[]): Promise<void> {
  for (const name of names) {
    const there = await stat(join(live, name)).catch(() => undefined);
    if (there !== undefined) await chmod(join(restored, name), there.mode & 0o777);
  }
}
