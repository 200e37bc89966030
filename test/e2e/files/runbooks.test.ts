/** Files kept and brought back as runbooks of an estate: its own Temporal, its own workers, people who look and agree. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addFiles, type EstateFiles } from '../../../lab/files.ts';
import { giveTo } from '../../../lab/host.ts';
import { siteAt } from '../../../lab/nginx.ts';
import { reservePort } from '../../../lab/ports.ts';
import { withPeople } from '../../../scripts/kills/people.ts';
import { ended, start, until, useEstate } from '../drill/scenario.ts';
import { asked, decide, say } from '../recovery/scenario.ts';
import { filesOf, leaksIn, ProcessWatch } from '../security/leaks.ts';
import { madeBeside } from './works.ts';

vi.setConfig({ testTimeout: 240_000 });

const scenario = useEstate(withPeople);
const password = 'the-key-of-the-repository-in-tests';
let files: EstateFiles;
let watch: ProcessWatch;

beforeAll(async () => {
  files = await addFiles(scenario().estate.site, password);
  // By its environment restic gets them, which its own user alone can read.
  watch = new ProcessWatch(() => false);
});

afterAll(() => watch?.stop());

const answer = async () => (await (await fetch(files.nginx.url, { headers: { connection: 'close' } })).text()).trim();
const restore = () => start(scenario(), 'configurationRestore', { mode: 'live', requestedBy: 'cara' });
const beside = async () =>
  (await madeBeside(dirname(files.nginx.configuration))).filter((name) => name.startsWith('.'));

async function write(text: string): Promise<void> {
  await mkdir(dirname(files.site), { recursive: true });
  await writeFile(files.site, text);
  await giveTo(scenario().estate.site.account, files.site);
}

async function backedUp(): Promise<void> {
  const evidence = await ended(await start(scenario(), 'fileBackup', { mode: 'live' }));
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', flags: [] });
}

test('a configuration that is lost is told by a dry run, and comes back once people have seen what would change', async () => {
  await backedUp();
  expect(JSON.parse(await files.repository.byHand('snapshots', '--json'))).toMatchObject([
    { hostname: 'db1', paths: [files.nginx.configuration] },
  ]);
  await rm(files.nginx.configuration, { recursive: true });
  const dry = await ended(await start(scenario(), 'configurationRestore', {}));
  expect(dry.outcome).toBe('previewed');
  expect(dry.steps.find(({ name }) => name === 'The files of web can come back')?.found).toContain(
    `${files.nginx.configuration} is missing`,
  );
  const handle = await restore();
  const open = await asked(handle);
  expect(open.subject).toMatchObject({ [files.nginx.configuration]: '4 come, 0 become another, 0 go' });
  await say(handle, open);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', flags: [], leftBehind: [] });
  expect(await readFile(files.site, 'utf8')).toBe(siteAt(files.port.number, 'first'));
  expect(await answer()).toBe('first');
  expect(await beside()).toEqual([]);
});

test('its worker is killed while it is restored: the next attempt ends it', async () => {
  await write(siteAt(files.port.number, 'spoilt'));
  const handle = await restore();
  const open = await asked(handle);
  const worker = scenario().estate.process('host-db1');
  await worker.kill('SIGKILL');
  const said = say(handle, open);
  await worker.start();
  await said;
  expect(await ended(handle)).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect(await readFile(files.site, 'utf8')).toBe(siteAt(files.port.number, 'first'));
  expect(await beside()).toEqual([]);
});

test('a port is taken when nginx reloads: the files are back before anybody is asked, and the old configuration serves on', async () => {
  const other = await reservePort();
  await write(`${siteAt(files.port.number, 'second')}${siteAt(other.number, 'third')}`);
  await backedUp();
  await write(siteAt(files.port.number, 'first'));
  await other.release();
  const taken = createServer().listen(other.number, '127.0.0.1');
  const handle = await restore();
  await say(handle, await asked(handle));
  const message = await decide(handle, 'abort', 'ReloadFailed', async () => {
    expect(await readFile(files.site, 'utf8')).toBe(siteAt(files.port.number, 'first'));
    expect(await answer()).toBe('first');
  });
  expect(message).toContain('there is no new worker');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await beside()).toEqual([]);
  await new Promise((resolve) => taken.close(resolve));
  await until('nginx to answer as before', async () => ((await answer()) === 'first' ? true : undefined));
});

test('neither a key nor what stands in the files is in a history, in the evidence, in a log, or in the list of processes', async () => {
  const { client, estate } = scenario();
  const { layout, secrets } = estate.site;
  const places = new Map([...(await filesOf(layout.logs, 'logs')), ...(await watch.stop())]);
  for await (const { workflowId, runId } of client.workflow.list())
    places.set(
      workflowId,
      Buffer.from(historyToJSON(await client.workflow.getHandle(workflowId, runId).fetchHistory())),
    );
  expect(places.get('process list')?.includes('restic restore ')).toBe(true);
  const wanted = { password, 'key of the store': secrets.secretAccessKey, content: 'default_type text/plain' };
  expect(leaksIn(places, wanted)).toEqual([]);
});
