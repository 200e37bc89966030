/** A whole region is lost at once, as by fire or flood; and what of it comes back when its power does. */
import { serversIn } from '../activities/processes.ts';
import type { Estate } from './estate.ts';
import { doorProcess } from './front-door.ts';
import { linksOf } from './links.ts';
import { hostsIn, type Region } from './regions.ts';
import { storeProcess } from './store.ts';

const links = ['east-to-west', 'west-to-east'] as const;

/** Servers, their workers, load balancer, store, and every way to it: nothing ends in order. */
export async function loseRegion(estate: Estate, region: Region): Promise<void> {
  const { site } = estate;
  for (const link of links) await linksOf(site).cut(link);
  const names = hostsIn(site, region).flatMap((host) => [host, `host-${host}`, `role-${host}`]);
  for (const name of [...names, doorProcess(region), storeProcess(region)])
    if (estate.process(name).running) await estate.process(name).kill('SIGKILL');
  // A server that a run has started is not the estate's own child.
  for (const host of hostsIn(site, region))
    for (const pid of await serversIn(site.layout.host(host).data)) killIfThere(pid);
}

/** All but its database servers, which nobody starts before it is known what has become of the service meanwhile. */
export async function regainRegion(estate: Estate, region: Region): Promise<void> {
  const { site } = estate;
  for (const link of links) await linksOf(site).mend(link);
  const workers = hostsIn(site, region).flatMap((host) => [`role-${host}`, `host-${host}`]);
  for (const name of [storeProcess(region), ...workers, doorProcess(region)])
    if (!estate.process(name).running) await estate.process(name).start();
}

/** A server's children end by themselves once their postmaster is gone. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
