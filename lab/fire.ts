/** Both servers of an estate are lost, as a fire would do it: nothing is shut down, and nothing of their data is left. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Estate } from './estate.ts';

export async function burnDown(estate: Estate): Promise<void> {
  const { hosts } = estate.site;
  await Promise.all(hosts.map((host) => estate.process(host).kill('SIGKILL')));
  for (const host of hosts) {
    const { data, socket } = estate.servers[host];
    // Children that have lost their postmaster still write for a moment.
    await rm(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    for (const name of await readdir(socket)) await rm(join(socket, name));
  }
}
