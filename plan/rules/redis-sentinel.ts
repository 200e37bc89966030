/** The members of a cache are servers of hosts that there are, each once, and what is restored into one does not lie in it. */
import type { ComponentOf, Components } from '../components.ts';
import { addresses } from '../hosts.ts';
import { nearestKey } from '../issues.ts';
import { repeated, rule } from './rule.ts';

type Cache = ComponentOf<'redis-sentinel'>;

function caches(components: Components): { path: [string, string]; cache: Cache }[] {
  return Object.entries(components).flatMap(([name, one]) =>
    one.kind === 'redis-sentinel' ? [{ path: ['components', name] as [string, string], cache: one }] : [],
  );
}

export const cachesLieOnKnownHosts = rule(['sites', 'components'], ({ sites, components = {} }, say) => {
  const known = Object.keys(addresses({ sites }));
  for (const { path, cache } of caches(components)) {
    const named = [
      ...cache.members.map(({ host }, index) => ({ host, at: ['members', index, 'host'] })),
      ...(cache.warm === undefined ? [] : [{ host: cache.warm.host, at: ['warm', 'host'] }]),
    ];
    for (const { host, at } of named) {
      if (known.includes(host)) continue;
      const near = nearestKey(host, known);
      say([...path, ...at], `host "${host}" is in no site`, {
        instead: near === undefined ? `the sites have ${known.join(', ') || 'no host'}` : `did you mean "${near}"?`,
      });
    }
  }
});

export const cachesHaveEachServerOnce = rule(['components'], ({ components = {} }, say) => {
  for (const { path, cache } of caches(components)) {
    for (const index of repeated(cache.sentinels, ({ host, port }) => `${host} ${port}`))
      say([...path, 'sentinels', index], 'this Sentinel is named already: its voice would count twice');
    for (const index of repeated(cache.members, ({ host, port }) => `${host} ${port}`))
      say([...path, 'members', index], 'another member has this host and port already');
    for (const index of repeated(cache.members, ({ host, dataDirectory }) => `${host} ${dataDirectory}`))
      say([...path, 'members', index, 'dataDirectory'], 'another member of this host has this directory already');
  }
});

export const cachesAreEnteredWithBothUserAndPassword = rule(['components'], ({ components = {} }, say) => {
  for (const { path, cache } of caches(components))
    for (const [user, password] of [
      ['user', 'password'],
      ['sentinelUser', 'sentinelPassword'],
    ] as const)
      if (cache[user] !== undefined && cache[password] === undefined)
        say([...path, user], 'a user without a password is let in nowhere', {
          at: 'key',
          instead: `write ${password}`,
        });
});

export const cachesCanBeRestored = rule(['components'], ({ components = {} }, say) => {
  for (const { path, cache } of caches(components)) {
    const { restoreFrom, members } = cache;
    if (restoreFrom === undefined) continue;
    for (const [index, { control }] of members.entries())
      if (control === undefined)
        say(
          [...path, 'members', index],
          'nothing says how this member is stopped, and a restore has to stop them all',
          { instead: 'write control: { start, stop }' },
        );
    if (members.some(({ dataDirectory }) => restoreFrom.startsWith(`${dataDirectory}/`)))
      say([...path, 'restoreFrom'], 'it lies in the data directory of a member, whose files a restore sets aside', {
        instead: 'keep it in a directory of its own',
      });
  }
});
