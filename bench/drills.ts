/** One drill by Lifeboat, one by a script: the same backup, target, checks. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { stanza } from '../lab/backrest.ts';
import { command } from '../lab/command.ts';
import { packageRoot } from '../lab/home.ts';
import { giveTo } from '../lab/host.ts';
import { database } from '../lab/postgres.ts';
import type { Plan } from '../plan/schema.ts';
import type { Anchor } from '../recovery/archive.ts';
import type { Ground } from './ground.ts';
import { type Ended, runbookEnded } from './runs.ts';
import { benchQueue } from './workflows/queue.ts';

/** @throws when it is not proven: then its time says nothing */
export async function drillWithLifeboat({ client, signal }: Ground): Promise<Ended> {
  const ended = await runbookEnded(client, 'monthly-drill', { service: 'orders' }, signal);
  const { outcome, failure, equality } = ended.evidence;
  if (outcome !== 'proven' || equality === undefined)
    throw new Error(`the drill ended ${outcome}: ${failure?.message ?? 'equality was not proven'}`);
  return ended;
}

/** Runs bench/drill-by-hand.sh and returns how long it took, milliseconds. */
export async function drillByHand(ground: Ground): Promise<number> {
  const { site, servers } = ground.estate;
  const folder = join(servers.db2.scratch, `hand-${randomBytes(3).toString('hex')}`);
  await mkdir(folder, { mode: 0o700 });
  await giveTo(site.account, folder);
  try {
    const script = await handOver(ground, folder);
    const started = performance.now();
    await command('bash', [script], { account: site.account, env: environment(ground, folder), signal: ground.signal });
    return performance.now() - started;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function environment({ estate, plan }: Ground, folder: string): Record<string, string> {
  const { site } = estate;
  const { host, port, user } = plan.database.frontDoor;
  return {
    BIN: site.programs.postgresql,
    PGBACKREST: site.programs.pgbackrest,
    CONFIG: site.layout.host('db2').backupConfiguration,
    STANZA: stanza,
    CORES: String(cpus().length),
    FOLDER: folder,
    DATABASE: database,
    SMOKE: site.layout.smoke,
    DOOR: `host=${host} port=${port} user=${user} dbname=${database} password=${site.secrets.orders}`,
  };
}

/** The script, and the three files it wants, where the database's account can read them. */
async function handOver(ground: Ground, folder: string): Promise<string> {
  const { site } = ground.estate;
  const anchor = await newestAnchor(ground);
  const tables = anchor.tables.map(({ table, rows, fingerprint }) => `${table}|${rows}|${fingerprint}`);
  const pulseFiles = (await readdir(site.layout.pulse)).filter((name) => name.endsWith('.jsonl'));
  const pulses = await Promise.all(pulseFiles.map((name) => readFile(join(site.layout.pulse, name), 'utf8')));
  const files = {
    anchor: `${[anchor.lsn, ...tables].join('\n')}\n`,
    assertions: assertionsFor(ground.plan),
    // The line that is just being written has no end yet.
    pulses: pulses.map((text) => text.slice(0, text.lastIndexOf('\n') + 1)).join(''),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await giveTo(site.account, join(folder, name));
  }
  const script = join(folder, 'drill-by-hand.sh');
  await copyFile(join(packageRoot, 'bench', 'drill-by-hand.sh'), script);
  await giveTo(site.account, script);
  return script;
}

/** A line each: what psql prints when it holds, a tab, the statement. */
export function assertionsFor(plan: Plan): string {
  const lines = plan.database.assertions.map(
    ({ expect, sql }) => `${typeof expect === 'boolean' ? (expect ? 't' : 'f') : expect}\t${sql.replace(/\s+/g, ' ')}`,
  );
  return `${lines.join('\n')}\n`;
}

function newestAnchor({ client, plan }: Ground): Promise<Anchor> {
  return client.workflow.execute('newestAnchor', {
    taskQueue: benchQueue,
    workflowId: `bench-anchor-${randomBytes(4).toString('hex')}`,
    args: [{ evidence: plan.evidence, service: plan.service }],
  });
}
