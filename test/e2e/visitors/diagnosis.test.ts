/** The network around a service, as the built command line tells it: a real zone and resolver, real certificates, ports that are there or not. */
import { readFile } from 'node:fs/promises';
import { createServer as createWebServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askDns } from '../../../activities/entry/question.ts';
import { makeCertificates } from '../../../lab/certificates.ts';
import type { NetworkCheck, NetworkResult } from '../../../workflows/network-diagnosis.ts';
import { eventually, freePort, partPath, removeDirectory, scratchDirectory } from '../control/rig.ts';
import { startZone, type Zone } from '../entry/zone.ts';
import { type Engine, startEngine } from './engine.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

let directory: string;
let zone: Zone;
let engine: Engine;
const servers: Server[] = [];
/** What the content network answers with. */
let status = 200;

function listening(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

beforeAll(async () => {
  directory = await scratchDirectory('diagnosis');
  zone = await startZone();
  const made = await makeCertificates(directory, await partPath('openssl'));
  const secure = async (certificate: string, key: string) =>
    listening(
      createSecureServer({ cert: await readFile(certificate), key: await readFile(key) }, (_request, response) =>
        response.end('ok'),
      ),
    );
  const over = await secure(made.expired, made.key);
  const right = await secure(made.certificate, made.key);
  const stranger = await secure(made.stranger, made.strangerKey);
  const content = await listening(createWebServer((_request, response) => response.writeHead(status).end()));
  const { sites, ...entry } = zone.entry;
  const written = { ...entry, ttl: `${entry.ttl / 1_000}s`, sites: { east: sites.east, west: sites.west } };
  const visitors = {
    ...{ kind: 'haproxy', socket: `127.0.0.1:${await freePort()}`, backend: 'app', servers: ['app1'], shares: [100] },
    healthy: { url: `https://localhost:${right}/`, caFile: made.authority },
  };
  const externals = [
    { name: 'payments', url: `https://localhost:${over}/` },
    { name: 'mail', url: `https://localhost:${stranger}/` },
    { name: 'pictures', url: `http://127.0.0.1:${content}/pixel.png` },
  ];
  engine = await startEngine(
    directory,
    `entry: ${JSON.stringify(written)}\nvisitors: ${JSON.stringify(visitors)}\nexternals: ${JSON.stringify(externals)}\n`,
    'sites:\n  east: { hosts: { db1: 127.0.0.1 } }\n  west: { hosts: { db2: 127.0.0.1 } }\n',
  );
});

afterAll(async () => {
  await engine?.stop();
  for (const server of servers) server.close();
  await zone?.stop();
  await removeDirectory(directory);
});

function lifeboat(...words: string[]) {
  return execa(process.execPath, [main, ...words], {
    env: { ...engine.environment, XDG_CONFIG_HOME: '/nonexistent', USER: 'ana' },
    reject: false,
  });
}

async function diagnosed(): Promise<NetworkCheck[]> {
  const { stdout, exitCode } = await lifeboat('diagnose', 'orders', '--json');
  // The database of this plan is never there.
  expect(exitCode).toBe(1);
  return (JSON.parse(stdout) as NetworkResult).checks;
}

const about = (checks: NetworkCheck[], what: string) => checks.filter((one) => one.about === what);

test('each thing that is wrong is told with what to do, and hides nothing that is well', async () => {
  const checks = await diagnosed();
  expect(about(checks, 'the name orders.lifeboat.test').map(({ well }) => well)).toEqual([true, true]);
  expect(about(checks, 'the front door of the database')).toMatchObject([
    { well: false, words: expect.stringMatching(/^127\.0\.0\.1:\d+ refuses connections: nobody listens there$/) },
  ]);
  expect(about(checks, 'member db1')).toMatchObject([{ well: false, proposal: expect.stringContaining('listen') }]);
  expect(about(checks, 'the certificate of payments')).toMatchObject([
    { well: false, words: expect.stringContaining('has expired on'), proposal: expect.stringContaining('new one') },
  ]);
  expect(about(checks, 'the certificate of mail')).toMatchObject([
    { well: false, words: expect.stringContaining('is not believed') },
  ]);
  expect(about(checks, "the certificate of the visitors' front")).toMatchObject([
    { well: true, words: expect.stringMatching(/holds until .*, (29|30) days$/) },
  ]);
  expect(about(checks, "the visitors' front")).toMatchObject([{ well: true }]);
  expect(about(checks, 'pictures')).toMatchObject([
    { well: true, words: expect.stringContaining('5 of 5 questions were answered') },
  ]);
  expect(about(checks, 'the certificate of the evidence store')).toMatchObject([{ well: false }]);
});

test('it is read by people, with the proposal below what is wrong', async () => {
  const { stdout, exitCode } = await lifeboat('diagnose', 'orders');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^The network around orders: \d+ of \d+ checks find something wrong\.$/m);
  expect(stdout).toMatch(/^ {2}✓ pictures: /m);
  expect(stdout).toMatch(/^ {2}✗ the certificate of payments: .* has expired on .*\n {6}Have a new one made/m);
});

test('a content network that answers with errors is found', async () => {
  status = 502;
  const [pictures] = about(await diagnosed(), 'pictures');
  status = 200;
  expect(pictures).toMatchObject({ well: false, words: expect.stringContaining('0 of 5') });
  expect(pictures?.words).toContain('status 502');
});

test('a resolver that still gives the old answer is found; once it has forgotten it, all agree', async () => {
  const { name } = zone.entry;
  const [resolver] = zone.entry.resolvers;
  if (resolver === undefined) throw new Error('the entry has no resolver');
  const lead = (value: string) => zone.byHand(`update delete ${name}.`, `update add ${name}. 60 A ${value}`);
  const given = async () => (await askDns(resolver, { name, type: 'A', recursive: true })).records[0]?.value;
  await lead('127.0.0.10');
  await eventually('the resolver remembers it for a minute', async () => {
    const [record] = (await askDns(resolver, { name, type: 'A', recursive: true })).records;
    return (record?.ttlSeconds ?? 0) > 30 ? true : undefined;
  });
  await lead('127.0.0.20');
  expect(await given()).toBe('127.0.0.10');
  const [authority, old] = about(await diagnosed(), `the name ${name}`);
  expect(authority).toMatchObject({ well: true, words: expect.stringContaining('127.0.0.20 (west)') });
  expect(old).toMatchObject({
    well: false,
    words: expect.stringMatching(/gives 127\.0\.0\.10 for \d+ s more, expected 127\.0\.0\.20, as the zone says/),
    proposal: expect.stringContaining('flush the name'),
  });
  await lead('127.0.0.10');
  const agreed = about(await diagnosed(), `the name ${name}`);
  expect(agreed.map(({ well }) => well)).toEqual([true, true]);
});
