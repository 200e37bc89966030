/** An estate of two sites: what lies in which, and what a catastrophe takes along. */
import type { Host } from './layout.ts';
import type { Site } from './site.ts';

export const regions = ['east', 'west'] as const;
export type Region = (typeof regions)[number];

/** The primary is built in the east. */
export function regionOf({ twoSites }: Pick<Site, 'twoSites'>, host: Host): Region {
  return twoSites && host !== 'db1' ? 'west' : 'east';
}

/** The hosts whose database servers are in a region. */
export function hostsIn(site: Pick<Site, 'twoSites' | 'hosts'>, region: Region): readonly Host[] {
  return site.hosts.filter((host) => regionOf(site, host) === region);
}

/** Regions that an estate has. */
export function regionsOf({ twoSites }: Pick<Site, 'twoSites'>): readonly Region[] {
  return twoSites ? regions : ['east'];
}

/** Where the front door of each region listens: the same port, for a name leads to an address only. */
export const doorAddress: Record<Region, string> = { east: '127.0.0.10', west: '127.0.0.20' };

/** Where the store of a region is reached by everybody. */
export function storePort({ ports }: Pick<Site, 'ports'>, region: Region): number {
  return (region === 'east' ? ports.store : ports.storeWest).number;
}
