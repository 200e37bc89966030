/** What a move to the other site promises, whoever was killed in it: there and back again, walk by walk. */
import { Resolver } from 'node:dns/promises';
import type { Host } from '../../lab/layout.ts';
import { other } from '../../lab/pair.ts';
import { doorAddress, regionOf } from '../../lab/regions.ts';
import type { LiveScene, LiveWalk } from './live.ts';
import { switchovers } from './switchover.ts';

export const regionMoves: LiveWalk = {
  runbook: 'region-switchover',
  goodEnd: 'completed',
  estate: { twoSites: true, faults: false },
  prepare: async (scene, from) => {
    const { wrongAfter } = await switchovers.prepare(scene, from);
    return { input: {}, wrongAfter: async () => [...(await wrongAfter()), ...(await wrongName(scene, other(from)))] };
  },
};

/** By the zone's own server. */
async function wrongName({ estate: { site, ports } }: LiveScene, to: Host): Promise<string[]> {
  const wanted = doorAddress[regionOf(site, to)];
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${ports.dns}`]);
  const addresses = await resolver.resolve4(site.entry?.name ?? '');
  return addresses.length === 1 && addresses[0] === wanted
    ? []
    : [`the name leads to ${addresses.join(' and ') || 'nobody'}, expected ${wanted}`];
}
