/** Runs bench/switchover-by-hand.sh on the estate's own two servers. */
import { join } from 'node:path';
import { command } from '../lab/command.ts';
import { backend } from '../lab/front-door.ts';
import { packageRoot } from '../lab/home.ts';
import type { Host } from '../lab/layout.ts';
import { other } from '../lab/pair.ts';
import type { PairGround } from './pair-ground.ts';

/** @throws Error with the script's last lines */
export async function switchByHand({ estate, signal }: PairGround, from: Host): Promise<void> {
  const { site, servers } = estate;
  const { ids } = site.account;
  const to = other(from);
  const follow = {
    host: '127.0.0.1',
    port: servers[to].port,
    user: 'replicator',
    passfile: site.layout.passfile,
    application_name: from,
  };
  // Whoever may speak to the load balancer starts it; the servers belong to a user of their own.
  const as = ids === undefined ? '' : `setpriv --reuid=${ids.uid} --regid=${ids.gid} --clear-groups`;
  const env = {
    BIN: site.programs.postgresql,
    AS: as,
    DOOR: site.layout.door('east').socket,
    BACKEND: backend,
    FROM: from,
    FROM_DATA: servers[from].data,
    FROM_SOCKET: servers[from].socket,
    FROM_PORT: String(servers[from].port),
    TO: to,
    TO_DATA: servers[to].data,
    TO_SOCKET: servers[to].socket,
    TO_PORT: String(servers[to].port),
    FOLLOW: Object.entries(follow)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    LOG: site.layout.host(from).serverLog,
  };
  await command('bash', [join(packageRoot, 'bench', 'switchover-by-hand.sh')], { env, signal });
}
