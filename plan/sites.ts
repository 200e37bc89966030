/** Sites of a plan: whose members, front doors and stores are whose. Workflows use these: types and plain functions only. */
import { addresses } from './hosts.ts';
import type { Database, Member, PhysicalBackups, Plan, Traffic } from './schema.ts';

type Site = Plan['sites'][string];

/** The site that a host is in. */
export function siteOf(plan: Pick<Plan, 'sites'>, host: string): string {
  const found = Object.entries(plan.sites).find(([, { hosts }]) => hostsOf(hosts).includes(host));
  if (found === undefined)
    throw new RangeError(`host ${host} is in no site: the plan has ${Object.keys(plan.sites).join(', ')}`);
  return found[0];
}

function hostsOf(hosts: Site['hosts']): string[] {
  return Array.isArray(hosts) ? hosts : Object.keys(hosts);
}

/** The members of the database in a site, in the order of the plan. */
export function membersIn(plan: Pick<Plan, 'sites' | 'database'>, site: string): Member[] {
  return plan.database.members.filter(({ host }) => siteOf(plan, host) === site);
}

/** Where clients reach a member once it is the primary. */
export interface Door {
  traffic: Traffic;
  /** With the front door that this load balancer stands behind. */
  database: Database;
}

/** The front door of the site that a host is in: its own, or the one that all sites have. */
export function doorOf(plan: Plan, host: string): Door {
  const { frontDoor, traffic } = plan.sites[siteOf(plan, host)] ?? {};
  const { database } = plan;
  return {
    traffic: traffic ?? plan.traffic,
    database: frontDoor === undefined ? database : { ...database, frontDoor: { ...database.frontDoor, ...frontDoor } },
  };
}

/** The front doors of all members, each once. */
export function doorsOf(plan: Plan): Door[] {
  const doors = plan.database.members.map(({ host }) => doorOf(plan, host));
  return doors.filter(({ traffic }, index) => doors.findIndex((one) => isSameDoor(one.traffic, traffic)) === index);
}

/** One load balancer may have a backend for each site. */
function isSameDoor(one: Traffic, other: Traffic): boolean {
  return one.socket === other.socket && one.backend === other.backend;
}

/** The members that this load balancer leads to. */
export function membersBehind(plan: Plan, traffic: Traffic): Member[] {
  return plan.database.members.filter(({ host }) => isSameDoor(doorOf(plan, host).traffic, traffic));
}

/** Whether one load balancer leads to both. */
export function shareDoor(plan: Plan, one: string, other: string): boolean {
  const here = siteOf(plan, one);
  const there = siteOf(plan, other);
  return here === there || (plan.sites[here]?.traffic === undefined && plan.sites[there]?.traffic === undefined);
}

/** Backups and WAL archive of the member on a host: in the store of its own site, where that has one. */
export function backupsOn(plan: Pick<Plan, 'sites' | 'backups'>, host: string): PhysicalBackups {
  const { physical } = plan.backups;
  const own = plan.sites[siteOf(plan, host)]?.backups;
  return own === undefined ? physical : { ...physical, ...own };
}

/** Whether members of different sites archive into different stores. */
export function shareStore(plan: Pick<Plan, 'sites' | 'backups'>, one: string, other: string): boolean {
  return backupsOn(plan, one).config === backupsOn(plan, other).config;
}

/** A server as others reach it. */
export interface ReachedServer {
  host: string;
  address: string;
  port: number;
}

/** @param from the host that wants to reach it; absent: a control worker */
export function reachedFrom(plan: Plan, { host, port }: Member, from?: string): ReachedServer {
  const other = from === undefined ? undefined : plan.sites[siteOf(plan, from)]?.reaches?.[host];
  return { host, port, address: addresses(plan)[host] ?? host, ...other };
}
