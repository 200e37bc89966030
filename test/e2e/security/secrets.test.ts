/**
 * No secret of the estate shows anywhere: not in a history, a log, the evidence, a report, a page, a metric, on the terminal, or in the
 * list of processes. A secret that was let out on purpose shows that it would have been found.
 */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { certificates } from '../../../lab/certificates.ts';
import { secretFile } from '../../../lab/secrets.ts';
import { backup, drill, ended, start, useEstate } from '../drill/scenario.ts';
import { filesOf, formsOf, leaksIn, linesOfKey, type Places, ProcessWatch } from './leaks.ts';
import { placesOf, terminal } from './places.ts';

const scenario = useEstate({ load: { ordersPerSecond: 10 } });

/** Handed out in every way that a secret could get out, so that each place of the scan is known to be looked at. */
const canary = `Canary+${'q7Z/x9=K'.repeat(3)}~end`;
const wrongKey = `wrong/${'Yk3+dM'.repeat(5)}==`;

/** Secrets by their names. */
async function secretsOfEstate(): Promise<Record<string, string>> {
  const { site } = scenario().estate;
  const { orders, replicator, cipher, secretAccessKey } = site.secrets;
  const { key, strangerKey } = certificates(site.layout.certificates);
  return {
    'password of orders': orders,
    'password of the replicator': replicator,
    'passphrase of the repository': cipher,
    'key of the store': secretAccessKey,
    'wrong key of the store': wrongKey,
    ...(await linesOfKey('the store', key)),
    ...(await linesOfKey('a stranger', strangerKey)),
  };
}

/** Everything that people do at a terminal. */
function commandsOf(run: string): string[][] {
  const { planFile } = scenario().estate;
  return [
    ['status'],
    ['status', '--json'],
    ['report', run],
    ['report', run, '--format', 'html'],
    ['report', run, '--format', 'json'],
    ['recovery-window', 'orders'],
    ['archive', 'orders'],
    ['archive', 'orders', '--deep', '--json'],
    ['find', 'orders', '--no-names'],
    ['find', 'orders', '--json'],
    ['sweep', 'orders', '--dry-run'],
    ['schedules'],
    ['schedules', 'diff'],
    ['schedules', 'next'],
    ['plan', 'validate', planFile],
    ['plan', 'schema'],
    ['doctor'],
    ['drill', 'orders', '--dry-run'],
    ['backup', 'orders', '--dry-run'],
    ['report', 'no-such-run'],
  ];
}

test('in no history, log, evidence, report, page, metric, terminal or process list there is a secret of the estate', async () => {
  const { estate } = scenario();
  const { layout } = estate.site;
  const secrets = await secretsOfEstate();
  // The store, and those who make its secrets known to it, hold their key in their environment.
  const watch = new ProcessWatch(
    (environment) => environment.includes(estate.root) && !environment.includes('ROOT_SECRET_KEY='),
  );

  await backup(scenario());
  const proven = await drill(scenario());
  expect(proven.outcome).toBe('proven');
  const failed = await drill(scenario(), { target: '2020-01-01T00:00:00Z' });
  expect(failed.outcome).toBe('not-proven');
  // A key that the store refuses is in the hands of whoever writes the error.
  const keyFile = secretFile(layout.secrets, 'secretAccessKey');
  const key = await readFile(keyFile, 'utf8');
  await writeFile(keyFile, `${wrongKey}\n`);
  const refused = await drill(scenario());
  expect(refused.failure?.type).toBe('StoreRefused');
  // Before the store takes over what lies there.
  const beside = await filesOf(layout.evidence, 'evidence in the directory');
  await writeFile(keyFile, key);

  // The canary: in a run's input, in a log, as a word and in the environment of a program.
  const leaking = await start(scenario(), 'monthlyDrill', { mode: 'dry-run', requestedBy: canary });
  const leaked: Evidence = await ended(leaking);
  await appendFile(join(layout.logs, 'control.log'), `${Buffer.from(`to: ${canary}`).toString('base64')}\n`);
  const inWords = execa('sleep', ['2'], { argv0: canary });
  const inEnvironment = execa('sleep', ['2'], { env: { ESTATE: estate.root, TOKEN: canary } });
  await Promise.all([inWords, inEnvironment]);

  const runs = [proven, failed, refused, leaked].map(({ run }) => run);
  const places: Places = new Map([
    ...(await terminal(estate, commandsOf(proven.run))),
    ...(await terminal(estate, [['report', leaked.run]])).map(([place, said]): [string, Buffer] => [
      `${place} (canary)`,
      said,
    ]),
    ...beside,
    ...(await placesOf(scenario(), runs)),
    ...(await watch.stop()),
  ]);
  for (const command of ['archive orders', 'find orders --no-names', 'sweep orders --dry-run', 'schedules diff'])
    expect(places.get(`terminal: ${command}`)?.toString(), command).toContain('orders');

  // That the canary is found shows that there was something to look at, and that it was looked at.
  const canaryIn = (beginning: string) =>
    leaksIn(places, { canary })
      .filter(({ place }) => place.startsWith(beginning))
      .map(({ form }) => form);
  expect(canaryIn(`history: monthlyDrill ${leaked.run}`)).toContain('in JSON');
  expect(canaryIn('Temporal: ')).toContain('plain');
  expect(canaryIn(`page: /runs/${leaked.run}.json`)).toContain('plain');
  expect(canaryIn('terminal: report')).toContain('plain');
  expect(canaryIn('log: control.log').some((form) => form.startsWith('base64'))).toBe(true);
  expect(canaryIn('store: ')).toContain('plain');
  expect(canaryIn('process list')).toContain('plain');
  expect(canaryIn('environment of ')).toContain('plain');
  expect(places.get('metrics: control')?.toString()).toContain('lifeboat_last_proven_drill');
  expect(watch.seen).toBeGreaterThan(50);

  expect(leaksIn(places, secrets)).toEqual([]);
}, 600_000);

test('a secret is found in every form that programs write', () => {
  const secret = 'p4ss/w+rd"ü=\\~';
  const written = {
    plain: `password=${secret}&x`,
    url: `postgres://orders:${encodeURIComponent(secret)}@db`,
    json: JSON.stringify({ password: secret }),
    hex: Buffer.from(`x${secret}`).toString('hex'),
    HEX: Buffer.from(secret).toString('hex').toUpperCase(),
    ...Object.fromEntries(
      ['', 'a', 'ab', 'abc', 'user:'].map((before) => [
        `basic ${before}`,
        Buffer.from(`${before}${secret}, and more`).toString('base64'),
      ]),
    ),
    urlSafe: Buffer.from(`ab${secret}`).toString('base64url'),
    alone: Buffer.from(secret).toString('base64'),
  };
  for (const [name, text] of Object.entries(written))
    expect(leaksIn(new Map([[name, Buffer.from(text)]]), { secret }), name).not.toEqual([]);
  expect(leaksIn(new Map([['other', Buffer.from('p4ss/w+rx and cDRzcy93')]]), { secret })).toEqual([]);
  expect(Object.values(formsOf(secret)).every((form) => form.length >= secret.length)).toBe(true);
});
