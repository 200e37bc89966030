/** What runs leave behind that could not clean up, and how the sweep finds and removes exactly that. */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Evidence, Leftover } from '../../../evidence/evidence.ts';
import { giveTo } from '../../../lab/host.ts';
import { sampled } from '../../sample.ts';
import { backup, drill, start, until, useEstate } from '../drill/scenario.ts';
import { ask, filesBelow, processesNaming } from '../observer.ts';
import { endOf, endWhatRuns, lockIsOpen, patientMs, replayGoesOn, runIn } from './endings.ts';

const scenario = useEstate();
const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const db2 = () => scenario().estate.servers.db2;

beforeAll(async () => {
  await backup(scenario());
});

afterEach(async () => {
  await endWhatRuns(scenario());
  for (const name of await readdir(db2().scratch)) await rm(join(db2().scratch, name), { recursive: true });
});

interface Swept {
  code: number | undefined;
  said: { shownBy: string; leftovers: Leftover[]; error?: { name: string; type?: string; message: string } };
}

async function sweep(...words: string[]): Promise<Swept> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'sweep', 'orders', '--json', ...words], {
    env: { ...scenario().estate.env, TEMPORAL_CONFIG_FILE: '/nonexistent' },
    reject: false,
  });
  if (stdout === '') throw new Error(`the sweep said nothing on stdout: ${stderr}`);
  return { code: exitCode, said: JSON.parse(stdout.split('\n').at(-1) ?? '') };
}

const verdictOf = (swept: Swept, path: string) => swept.said.leftovers.find((one) => one.path === path)?.verdict;

/** Ends a drill without letting it clean up; yields the directory that it left. */
async function terminated(step: string): Promise<{ handle: WorkflowHandle; directory: string }> {
  const before = await readdir(db2().scratch);
  const handle = await runIn(scenario(), 'monthlyDrill', step, {});
  await until('it has made a directory', async () =>
    (await readdir(db2().scratch)).some((one) => !before.includes(one)) ? true : undefined,
  );
  await handle.terminate('the end-to-end tests');
  await until('its lock went with it', async () => ((await lockIsOpen(scenario(), 'db2')) ? undefined : true));
  const [name] = (await readdir(db2().scratch)).filter((one) => !before.includes(one));
  if (name === undefined) throw new Error(`the drill that was terminated in ${step} left nothing`);
  return { handle, directory: join(db2().scratch, name) };
}

/** Its activities hear of the end with their next heartbeat; a server that was started goes on. */
async function toolsHaveEnded(directory: string): Promise<void> {
  await until('no tool is at work in it any more', async () =>
    (await processesNaming(directory)).some((line) => /pgbackrest|pg_checksums|pg_amcheck/.test(line))
      ? undefined
      : true,
  );
}

const steps = [
  'database/restore-the-backup-beside',
  'database/roll-forward-to-the-target',
  'database/promote-the-throw-away-server',
  'application/the-application-works-on-the-restored-database',
  'validation/constraints-hold-for-every-row',
];

test.each(sampled(steps, 1, 'terminated'))(
  'a drill terminated in %s holds nobody up, is shown, and is swept once that is wanted',
  async (step) => {
    const { handle, directory } = await terminated(step);
    expect((await drill(scenario())).outcome).toBe('proven');
    await toolsHaveEnded(directory);

    const shown = await sweep();
    expect(shown.code).toBe(8);
    expect(shown.said.leftovers).toMatchObject([
      { host: 'db2', kind: 'directory', path: directory, run: handle.workflowId, verdict: 'left' },
    ]);
    expect(shown.said.leftovers[0]?.bytes).toBeGreaterThan(0);
    expect(await readdir(db2().scratch)).toHaveLength(1);

    expect((await sweep('--yes', '--host', 'db1')).code).toBe(0);
    expect(await readdir(db2().scratch)).toHaveLength(1);

    expect((await sweep('--yes')).code).toBe(0);
    expect(await readdir(db2().scratch)).toEqual([]);
    expect(await processesNaming(`${db2().scratch}/`)).toEqual([]);
  },
  patientMs,
);

test(
  'a sweep removes what an ended run left, and touches neither a running one nor what is not Lifeboat’s',
  async () => {
    const { estate, client } = scenario();
    const left = await terminated('validation/indexes-agree-with-their-tables');
    const forgotten = await terminated('database/restore-the-backup-beside');
    await client.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: forgotten.handle.workflowId },
    });
    await until('Temporal has forgotten it', () =>
      forgotten.handle.describe().then(
        () => undefined,
        () => true,
      ),
    );
    await toolsHaveEnded(forgotten.directory);
    const foreign = join(db2().scratch, 'not-ours');
    await mkdir(foreign);
    await writeFile(join(foreign, 'precious'), 'a person put this here');
    await giveTo(estate.site.account, foreign);
    const outside = join(estate.root, 'outside');
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, 'lifeboat.json'), await readFile(join(left.directory, 'lifeboat.json')));
    const link = join(db2().scratch, 'link');
    await symlink(outside, link);
    await symlink(outside, join(left.directory, 'leads-out'));

    // Slow enough to be at work while the sweep looks, and tries to remove.
    await estate.faults.add({ method: 'GET', path: '/backup/.*/bundle', fault: { kind: 'delay', ms: 20_000 } });
    const running = await runIn(scenario(), 'monthlyDrill', 'database/restore-the-backup-beside', {});
    const during = await until('the sweep sees its directory', async () => {
      const seen = await sweep();
      return seen.said.leftovers.some((one) => one.run === running.workflowId) ? seen : undefined;
    });
    expect(during.said.leftovers.find((one) => one.run === running.workflowId)?.verdict).toBe('in-use');
    expect((await sweep('--yes')).code).toBe(4);
    await estate.faults.clear();
    expect((await endOf(scenario(), running.workflowId)).evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });

    const shown = await sweep();
    expect(verdictOf(shown, foreign)).toBe('unknown');
    expect(verdictOf(shown, link)).toBe('unknown');
    expect(shown.code).toBe(8);
    expect(verdictOf(shown, left.directory)).toBe('left');
    expect(verdictOf(shown, forgotten.directory)).toBe('likely-left');
    expect(shown.said.leftovers.find((one) => one.path === forgotten.directory)?.why).toContain('no history');
    expect((await sweep('--yes')).code).toBe(0);
    expect((await readdir(db2().scratch)).sort()).toEqual(['link', 'not-ours']);
    expect(await processesNaming(`${db2().scratch}/`)).toEqual([]);
    expect(await readFile(join(foreign, 'precious'), 'utf8')).toBe('a person put this here');
    expect(await readdir(outside)).toEqual(['lifeboat.json']);
  },
  patientMs,
);

test('what has taken the place of what was shown is not touched', async () => {
  const { directory } = await terminated('database/restore-the-backup-beside');
  await toolsHaveEnded(directory);
  const { said } = await sweep();
  await rename(directory, `${directory}-away`);
  await mkdir(directory);
  await giveTo(scenario().estate.site.account, directory);
  await writeFile(join(directory, 'lifeboat.json'), await readFile(join(`${directory}-away`, 'lifeboat.json')));
  const before = await filesBelow(directory);
  const live = await start(scenario(), 'sweep', { service: 'orders', mode: 'live', shownBy: said.shownBy });
  const { evidence } = await endOf(scenario(), live.workflowId);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(await filesBelow(directory)).toEqual(before);
  expect((await readdir(db2().scratch)).length).toBe(2);
});

describe('on the servers', () => {
  test('replay that somebody else has paused is shown, and stays paused', async () => {
    const server = { host: db2().socket, port: db2().port };
    await ask(server, 'select pg_wal_replay_pause()');
    try {
      const shown = await sweep('--yes');
      expect(shown.code).toBe(0);
      expect(shown.said.leftovers).toMatchObject([{ kind: 'paused-replay', host: 'db2', verdict: 'unknown' }]);
      expect(await replayGoesOn(scenario())).toBe(false);
    } finally {
      await ask(server, 'select pg_wal_replay_resume()');
    }
  });

  test('replay and session of an anchor whose run was terminated and whose worker died are given back', async () => {
    const { estate } = scenario();
    const primary = { host: estate.servers.db1.socket, port: estate.servers.db1.port };
    const standby = { host: db2().socket, port: db2().port };
    const locker = new pg.Client({ ...primary, user: 'postgres', database: 'orders' });
    await locker.connect();
    try {
      // What reads the table on the standby waits for this lock: the anchor stands in the middle of its work.
      await locker.query('begin; lock table orders in access exclusive mode');
      await until('the standby holds the lock too', async () => {
        const locks = "select 1 from pg_locks where mode = 'AccessExclusiveLock' and relation = 'orders'::regclass";
        return (await ask(standby, locks)).length > 0 ? true : undefined;
      });
      const handle = await start(scenario(), 'backup', { mode: 'live', type: 'differential' });
      await until('the anchor has paused replay, and waits', async () => {
        const waiting =
          "select 1 from pg_stat_activity where application_name = 'lifeboat-anchor' and wait_event_type = 'Lock'";
        return !(await replayGoesOn(scenario())) && (await ask(standby, waiting)).length > 0 ? true : undefined;
      });
      await estate.process('host-db2').kill('SIGKILL');
      await handle.terminate('the end-to-end tests');
      await estate.process('host-db2').start();
      const shown = await sweep();
      expect(shown.code).toBe(8);
      const kinds = shown.said.leftovers.map(({ kind, verdict }) => `${kind} ${verdict}`);
      expect(kinds.sort()).toEqual(['paused-replay left', 'session left']);
      expect((await sweep('--yes')).code).toBe(0);
      expect(await replayGoesOn(scenario())).toBe(true);
      expect(await ask(standby, "select 1 from pg_stat_activity where application_name = 'lifeboat-anchor'")).toEqual(
        [],
      );
      expect(await processesNaming(`lifeboat-resumes-replay:${db2().data}`)).toEqual([]);
    } finally {
      await locker.end();
    }
    const evidence: Evidence = await backup(scenario(), 'differential');
    expect(evidence.outcome).toBe('completed');
  });
});
