import fs, { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Following } from '../../../activities/contract.ts';
import { replaceBack, replaceDirectory } from '../../../activities/replace/replace-directory.ts';

/** PostgreSQL's programs, as far as a replacement asks them: what a control file says, and that all is on the disk. */
const programs = {
  pg_controldata: `#!/bin/sh\ncat "$2/control"\n`,
  initdb: `#!/bin/sh\ntest ! -x "$0.meanwhile" || "$0.meanwhile"\n`,
};
const control = (state: string) => `Database cluster state: ${state}
Latest checkpoint's TimeLineID: 1
Database system identifier: 7
Latest checkpoint location: 0/5000028
`;

let root: string;
const before = process.env.LIFEBOAT_PERMIT;
const { rename } = fs;
const at = (...names: string[]) => join(root, ...names);

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-replace-')));
  for (const name of ['bin', 'main/pg_tblspc', 'scratch/run/data/pg_tblspc'])
    await mkdir(at(name), { recursive: true });
  for (const [name, text] of Object.entries(programs)) await writeFile(at('bin', name), text, { mode: 0o755 });
  await writeFile(at('main/postmaster.opts'), `/bin/postgres "-D" "${at('main')}"\n`);
  await writeFile(at('main/postgresql.conf'), `work_mem = '7MB'\n`);
  await writeFile(at('main/control'), control('in production'));
  await writeFile(at('scratch/run/data/postgresql.auto.conf'), `recovery_target_lsn = '0/1'\n`);
  await writeFile(at('scratch/run/data/recovery.signal'), '');
  process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  await writeFile(
    at('permit.yaml'),
    stringify({
      dataDirectories: [at('main')],
      serverControl: [{ dataDirectory: at('main') }],
      scratch: [at('scratch')],
      backupConfigurations: ['/etc/pgbackrest.conf'],
      postgresql: at('bin'),
    }),
  );
});

afterEach(async () => {
  patchRename(rename);
  if (before === undefined) delete process.env.LIFEBOAT_PERMIT;
  else process.env.LIFEBOAT_PERMIT = before;
  await rm(root, { recursive: true, force: true });
});

function patchRename(by: typeof rename): void {
  fs.rename = by;
  syncBuiltinESMExports();
}

const replacement = () => ({
  member: { host: 'db1', port: 5432, dataDirectory: at('main'), control: { kind: 'pg_ctl' as const } },
  scratch: { host: 'db1', directory: at('scratch/run') },
  setAside: at('main.before-run'),
  backups: { kind: 'pgbackrest' as const, stanza: 'orders', config: '/etc/pgbackrest.conf', archiveTimeout: 1 },
});
const left = { lsn: '0/5000028', timeline: 1, systemIdentifier: '7' };
const follow = (): Following => ({
  member: replacement().member,
  primary: { host: 'db2', address: '10.0.0.2', port: 5432 },
  replication: { user: 'repl', options: {} },
  ...{ slot: 'db1', backups: replacement().backups, timeline: 2, left },
});
const run = <Ask, Answer>(activity: (ask: Ask) => Promise<Answer>, ask: Ask): Promise<Answer> =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ask) as Promise<Answer>;

const roles = {
  primary: { state: 'shut down', ask: () => ({ ...replacement(), left }) },
  standby: { state: 'shut down in recovery', ask: () => ({ ...replacement(), left, follow: follow() }) },
};

/** All that a directory holds, except for what its own name says. */
async function contentOf(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const texts = await Promise.all(
    files.map(async (file) => [file.slice(directory.length), await readFile(file, 'utf8')]),
  );
  return Object.fromEntries(texts);
}

/** As many as there are for a standby, and one more: it was never interrupted. */
const mostRenames = 7;

test.each(['primary', 'standby'] as const)(
  'a %s that ends anywhere on its way to the new place, and anywhere on its way back, ends there by a retry',
  async (role) => {
    const { state, ask } = roles[role];
    await writeFile(at('scratch/run/data/control'), control(state));
    const live = await contentOf(at('main'));
    const interrupted = async (after: number, work: () => Promise<unknown>) => {
      let done = 0;
      const path: string[] = [];
      patchRename(async (from, to) => {
        await rename(from, to);
        path.push(String(to));
        done += 1;
        if (done === after) throw new Error('the machine went down');
      });
      await work().catch((error: Error) => {
        if (!/went down/.test(`${error.message} ${String(error.cause)}`)) throw error;
      });
      patchRename(rename);
      return path;
    };
    for (let after = 1; after <= mostRenames; after += 1) {
      const there = await interrupted(after, () => run(replaceDirectory, ask()));
      const { found } = await run(replaceDirectory, ask());
      expect(found, there.join()).toContain(role === 'primary' ? 'as a primary' : 'only as a standby of db2');
      expect(await contentOf(at('main.before-run'))).toEqual(live);
      const signals = (await readdir(at('main'))).filter((name) => name.endsWith('.signal'));
      expect(signals).toEqual(role === 'primary' ? [] : ['standby.signal']);
      expect(await readFile(at('main/postgresql.conf'), 'utf8')).toContain('7MB');
      expect(await readFile(at('main/postgresql.auto.conf'), 'utf8')).not.toContain('recovery_target_lsn');
      await interrupted(((after - 1) % 3) + 1, () => run(replaceBack, replacement()));
      expect(await run(replaceBack, replacement())).toMatchObject({ state: 'untouched' });
      expect(await contentOf(at('main'))).toEqual(live);
      expect((await readdir(root)).sort()).toEqual(['bin', 'main', 'permit.yaml', 'scratch']);
      // What production said is not left beside, where a start would archive.
      expect(await readFile(at('scratch/run/data/postgresql.auto.conf'), 'utf8')).toBe('\n');
    }
  },
);

test('a standby can only start as one from its first rename on', async () => {
  await writeFile(at('scratch/run/data/control'), control('shut down in recovery'));
  const seen: string[] = [];
  patchRename(async (from, to) => {
    await rename(from, to);
    const place = String(to) === at('main') ? at('main') : at('scratch/run/data');
    seen.push((await readdir(place)).includes('standby.signal') ? 'standby' : 'not yet');
  });
  await run(replaceDirectory, roles.standby.ask());
  expect(new Set(seen.slice(1))).toEqual(new Set(['standby']));
  expect(await readdir(at('main'))).not.toContain('recovery.signal');
});

test('a server that comes up in the last moment keeps its directory', async () => {
  await writeFile(at('scratch/run/data/control'), control('shut down'));
  // The kernel tells what a program is by its file.
  await copyFile('/usr/bin/sleep', at('bin/postgres'));
  await writeFile(
    at('bin/initdb.meanwhile'),
    `#!/bin/sh\ncd ${at('main')}\n${at('bin/postgres')} 60 >/dev/null 2>&1 &\necho $! >${at('bin/pid')}\n`,
  );
  await chmod(at('bin/initdb.meanwhile'), 0o755);
  try {
    await expect(run(replaceDirectory, roles.primary.ask())).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining('which was set aside while it started'),
    });
    expect((await readdir(root)).sort()).toEqual(['bin', 'main', 'permit.yaml', 'scratch']);
    await expect(run(replaceDirectory, roles.primary.ask())).rejects.toMatchObject({ type: 'Moved' });
  } finally {
    process.kill(Number(await readFile(at('bin/pid'), 'utf8')));
  }
});

test('where production may not be renamed, nothing is', async () => {
  await writeFile(at('scratch/run/data/control'), control('shut down'));
  patchRename(async (from, to) => {
    if (String(to).includes('lifeboat-probe')) throw Object.assign(new Error('EXDEV'), { code: 'EXDEV' });
    return rename(from, to);
  });
  await expect(run(replaceDirectory, roles.primary.ask())).rejects.toMatchObject({
    type: 'NotReplaceable',
    message: expect.stringContaining('EXDEV'),
  });
  expect((await readdir(root)).sort()).toEqual(['bin', 'main', 'permit.yaml', 'scratch']);
});

test.each([
  ['is still in recovery', 'shut down in recovery', {}],
  ['was not shut down in order', 'in production', {}],
  ['has written since', 'shut down', { lsn: '0/6000028' }],
  ['is on another timeline', 'shut down', { timeline: 2 }],
  ['is of another cluster', 'shut down', { systemIdentifier: '8' }],
])('a restored primary that %s takes nobody’s place', async (_what, state, other) => {
  await writeFile(at('scratch/run/data/control'), control(state));
  const ask = { ...replacement(), left: { ...left, ...other } };
  await expect(run(replaceDirectory, ask)).rejects.toMatchObject({ type: 'Moved' });
  expect((await readdir(root)).sort()).toEqual(['bin', 'main', 'permit.yaml', 'scratch']);
});

test('a promoted server is nobody’s standby', async () => {
  await writeFile(at('scratch/run/data/control'), control('shut down'));
  await expect(run(replaceDirectory, roles.standby.ask())).rejects.toMatchObject({ type: 'Moved' });
});
