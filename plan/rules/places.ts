/** Hosts that exist, each once, and directories that do not lie in each other's way. */
import { addresses } from '../hosts.ts';
import { nearestKey } from '../issues.ts';
import type { Path } from '../problems.ts';
import type { Plan } from '../schema.ts';
import { repeated, rule, type Say } from './rule.ts';

export const everyHostIsInASite = rule(['sites', 'database', 'drills'], (plan, say) => {
  const known = Object.keys(addresses(plan));
  for (const [index, { host }] of plan.database.members.entries())
    if (!known.includes(host)) unknownHost(host, known, ['database', 'members', index, 'host'], say);
  const { host } = plan.drills.monthly;
  if (!known.includes(host)) unknownHost(host, known, ['drills', 'monthly', 'host'], say);
});

function unknownHost(host: string, known: string[], path: Path, say: Say): void {
  const near = nearestKey(host, known);
  say(path, `host "${host}" is in no site`, {
    instead: near === undefined ? `the sites have ${known.join(', ') || 'no host'}` : `did you mean "${near}"?`,
  });
}

/** Who stops an application can let it go on: what is undone would otherwise leave the service closed. */
export const theApplicationIsToldOnKnownHosts = rule(['sites', 'application'], (plan, say) => {
  const known = Object.keys(addresses(plan));
  const { quiesce, resume } = plan.application;
  for (const [key, told] of Object.entries({ quiesce, resume }))
    if (told !== undefined && !known.includes(told.host))
      unknownHost(told.host, known, ['application', key, 'host'], say);
  if (quiesce !== undefined && resume === undefined)
    say(['application', 'quiesce'], 'the application is stopped by a command, and nothing lets it go on', {
      instead: 'write resume beside quiesce',
      at: 'key',
    });
});

export const fencesRunOnKnownHosts = rule(['sites', 'failover'], (plan, say) => {
  const known = Object.keys(addresses(plan));
  for (const [index, fence] of (plan.failover?.fencing ?? []).entries())
    if (fence.kind === 'command' && !known.includes(fence.host))
      unknownHost(fence.host, known, ['failover', 'fencing', index, 'host'], say);
});

function hostsOf(hosts: Plan['sites'][string]['hosts'] = []): string[] {
  return Array.isArray(hosts) ? hosts : Object.keys(hosts);
}

/** A door without a load balancer could not be closed, and a load balancer without a door not be proven closed. */
export const doorsOfSitesAreWhole = rule(['sites', 'database'], ({ sites, database }, say) => {
  const known = database.members.map(({ host }) => host);
  for (const [name, site] of Object.entries(sites)) {
    const path = ['sites', name];
    if (site.frontDoor !== undefined && site.traffic === undefined)
      say([...path, 'frontDoor'], `site ${name} has a front door, and nothing that leads there`, {
        instead: 'write traffic beside it',
        at: 'key',
      });
    if (site.traffic !== undefined && site.frontDoor === undefined)
      say([...path, 'traffic'], `site ${name} has a load balancer, and no front door where it is reached`, {
        instead: 'write frontDoor: { host, port } beside it',
        at: 'key',
      });
    for (const host of Object.keys(site.reaches ?? {}))
      if (!known.includes(host))
        say([...path, 'reaches', host], `host ${host} has no member of the database`, {
          instead: `the members are ${known.join(', ')}`,
          at: 'key',
        });
      else if (hostsOf(site.hosts).includes(host))
        say([...path, 'reaches', host], `host ${host} is in site ${name} itself`, {
          instead: 'leave it out: this is for members of other sites',
          at: 'key',
        });
  }
  const entries = Object.entries(sites);
  for (const [index, [name, { traffic, frontDoor }]] of entries.entries()) {
    const earlier = entries.slice(0, index);
    const led = earlier.find(
      ([, one]) => traffic && one.traffic?.socket === traffic.socket && one.traffic.backend === traffic.backend,
    );
    if (led)
      say(['sites', name, 'traffic'], `the load balancer of site ${name} is that of ${led[0]}`, {
        at: 'key',
        instead: 'write its own socket or backend',
      });
    const same = earlier.find(
      ([, one]) => frontDoor && one.frontDoor?.host === frontDoor.host && one.frontDoor.port === frontDoor.port,
    );
    if (same)
      say(['sites', name, 'frontDoor'], `the front door of site ${name} is that of ${same[0]}`, {
        at: 'key',
        instead: 'write where this site is reached',
      });
  }
  const doors = Object.entries(sites).filter(([, { traffic }]) => traffic !== undefined);
  const without = Object.keys(sites).filter(
    (name) => sites[name]?.traffic === undefined && hostsOf(sites[name]?.hosts).some((host) => known.includes(host)),
  );
  if (doors.length > 0 && without.length > 0)
    for (const name of without)
      say(
        ['sites', name],
        `site ${name} has no front door of its own, and ${doors.map(([one]) => one).join(', ')} has`,
        {
          instead: 'write frontDoor and traffic for every site, or for none',
          at: 'key',
        },
      );
});

export const everyHostIsInOneSite = rule(['sites'], ({ sites }, say) => {
  const entries = Object.entries(sites).flatMap(([site, { hosts }]) =>
    Array.isArray(hosts)
      ? hosts.map((host, index) => ({ site, host, path: ['sites', site, 'hosts', index] }))
      : Object.keys(hosts).map((host) => ({ site, host, path: ['sites', site, 'hosts', host] })),
  );
  for (const index of repeated(entries, ({ host }) => host)) {
    const entry = entries[index];
    const first = entries.find(({ host }) => host === entry?.host);
    if (entry && first) say(entry.path, `host ${entry.host} is in site ${first.site} already`, { at: 'key' });
  }
  for (const [site, { hosts }] of Object.entries(sites))
    if (Object.keys(hosts).length === 0) say(['sites', site, 'hosts'], `site ${site} has no host`, { at: 'key' });
});

export const everyMemberIsOneServer = rule(['sites', 'database'], (plan, say) => {
  const { members } = plan.database;
  const where = addresses(plan);
  for (const index of repeated(members, ({ host }) => host))
    say(['database', 'members', index, 'host'], `host ${members[index]?.host} has a member already: a host holds one`);
  for (const index of repeated(members, ({ host, port }) => `${where[host] ?? host} ${port}`)) {
    const member = members[index];
    if (member && members.filter(({ host }) => host === member.host).length === 1)
      say(
        ['database', 'members', index, 'port'],
        `another member has address ${where[member.host] ?? member.host} and port ${member.port} already`,
      );
  }
});

/** A drill removes what lies in its directory; a pulse log or evidence in a data directory would go with the database. */
export const directoriesAreApart = rule(['database', 'drills', 'evidence', 'pulse'], (plan, say) => {
  const members = plan.database.members.filter(
    ({ dataDirectory }, index, all) => all.findIndex((other) => other.dataDirectory === dataDirectory) === index,
  );
  for (const { path, directory, what } of ownDirectories(plan))
    for (const { host, dataDirectory } of members) {
      const how = inside(directory, dataDirectory) ? 'lies inside of' : inside(dataDirectory, directory) && 'contains';
      if (how)
        say(path, `${what} ${how} the data directory ${dataDirectory} of ${host}`, {
          instead: 'write a directory of its own',
        });
    }
  const scratch = plan.drills.monthly.directory;
  for (const { path, directory, what } of ownDirectories(plan).slice(1))
    if (inside(directory, scratch))
      say(path, `${what} lies where drills restore and clean up (${scratch})`, { instead: 'write another directory' });
});

/** What a recovery restores must be there when the live directory is moved, and must not be moved with it. */
export const restoredServersLieApart = rule(['database'], (plan, say) => {
  for (const [index, { dataDirectory, beside }] of plan.database.members.entries())
    if (beside !== undefined && (inside(beside, dataDirectory) || inside(dataDirectory, beside)))
      say(
        ['database', 'members', index, 'beside'],
        `the directory for restored servers and the data directory ${dataDirectory} lie in each other`,
        { instead: 'write a directory beside it, on the same file system' },
      );
});

function ownDirectories(
  plan: Pick<Plan, 'drills' | 'evidence' | 'pulse'>,
): { path: Path; directory: string; what: string }[] {
  return [
    {
      path: ['drills', 'monthly', 'directory'],
      directory: plan.drills.monthly.directory,
      what: 'the directory for drills',
    },
    { path: ['evidence', 'directory'], directory: plan.evidence.directory, what: 'the directory for evidence' },
    ...(plan.pulse ? [{ path: ['pulse', 'log'], directory: plan.pulse.log, what: 'the log of the pulse' }] : []),
  ];
}

/** The same counts as inside. */
function inside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}
