/** Runs bench/recovery-by-hand.sh on the estate's own two servers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stanza } from '../lab/backrest.ts';
import { command } from '../lab/command.ts';
import { backend } from '../lab/front-door.ts';
import { packageRoot } from '../lab/home.ts';
import type { Host } from '../lab/layout.ts';
import { other } from '../lab/pair.ts';
import { database } from '../lab/postgres.ts';
import type { Plan } from '../plan/schema.ts';
import { assertionsFor } from './drills.ts';
import type { PairGround } from './pair-ground.ts';

export interface Wanted {
  plan: Plan;
  primary: Host;
  timeline: number;
  /** Label of the backup. */
  label: string;
  /** A moment with its offset. */
  target: string;
}

/** @throws Error with the script's last lines */
export async function recoverByHand(ground: PairGround, wanted: Wanted): Promise<void> {
  const { signal } = ground;
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-by-hand-'));
  try {
    const assertions = join(folder, 'assertions');
    await writeFile(assertions, assertionsFor(wanted.plan));
    const script = join(packageRoot, 'bench', 'recovery-by-hand.sh');
    await command('bash', [script], { env: { ...environment(ground, wanted), ASSERTIONS: assertions }, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function environment({ estate }: PairGround, wanted: Wanted): Record<string, string> {
  const { site, servers } = estate;
  const { ids } = site.account;
  const { primary, plan } = wanted;
  const standby = other(primary);
  const follow = {
    host: '127.0.0.1',
    port: servers[primary].port,
    user: 'replicator',
    passfile: site.layout.passfile,
    application_name: standby,
  };
  return {
    BIN: site.programs.postgresql,
    PGBACKREST: site.programs.pgbackrest,
    STANZA: stanza,
    LABEL: wanted.label,
    // PostgreSQL reads its configuration before it knows what the abbreviation means.
    TARGET: wanted.target.replace(/Z$/, '+00'),
    TIMELINE: String(wanted.timeline),
    // Whoever may speak to the load balancer starts it; the servers belong to a user of their own.
    AS: ids === undefined ? '' : `setpriv --reuid=${ids.uid} --regid=${ids.gid} --clear-groups`,
    DOOR: site.layout.door('east').socket,
    BACKEND: backend,
    DATABASE: database,
    TABLES: plan.database.criticalTables.join(' '),
    PRIMARY: primary,
    STANDBY: standby,
    ...placesOf(estate, primary, 'P'),
    ...placesOf(estate, standby, 'S'),
    FOLLOW: Object.entries(follow)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  };
}

function placesOf({ site, servers }: PairGround['estate'], host: Host, prefix: 'P' | 'S'): Record<string, string> {
  const { data, socket, port } = servers[host];
  const { backupConfiguration, serverLog } = site.layout.host(host);
  return {
    [`${prefix}_DATA`]: data,
    [`${prefix}_SOCKET`]: socket,
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_CONFIG`]: backupConfiguration,
    [`${prefix}_LOG`]: serverLog,
  };
}
