import { describe, expect, test } from 'vitest';
import {
  candidatesIn,
  contradictionsIn,
  objectionsToSwitchover,
  type PatroniCluster,
  type PatroniMember,
  roleOf,
  whyNobodyLeads,
} from '../../../recovery/patroni.ts';

const tags = { nofailover: false, nosync: false, noloadbalance: false, clonefrom: false };

function member(host: string, role: 'primary' | 'standby', more: Partial<PatroniMember> = {}): PatroniMember {
  return {
    host,
    server: { role, timeline: 3, lsn: '0/5000000' },
    own: {
      ...{ role, state: 'running', timeline: 3, version: '3.0.2', scope: 'orders' },
      ...{ streams: [], replayPaused: false, failsafe: false },
    },
    listed: { role: role === 'primary' ? 'leader' : 'replica', state: 'running', timeline: 3, lagBytes: 0 },
    tags,
    ...more,
  };
}

function cluster(more: Partial<PatroniCluster> = {}): PatroniCluster {
  return {
    members: [member('db1', 'primary'), member('db2', 'standby'), member('db3', 'standby')],
    leader: 'db1',
    ...{ paused: false, synchronous: 'off', maximumLagBytes: 1_048_576, failsafeMode: false, contradictions: [] },
    ...more,
  };
}

test('a cluster in order speaks against nothing', () => {
  expect(contradictionsIn(cluster())).toEqual([]);
  expect(objectionsToSwitchover(cluster(), 'db1', 'db2')).toEqual([]);
  expect(candidatesIn(cluster())).toEqual(['db2', 'db3']);
});

test('Patroni 3 and 4 call the primary otherwise, and mean the same', () => {
  expect(roleOf('master')).toBe('primary');
  expect(roleOf('primary')).toBe('primary');
  expect(roleOf('quorum_standby')).toBe('standby');
  expect(roleOf('demoted')).toBe('other');
});

describe('contradictions', () => {
  const withServer = (changed: PatroniMember) =>
    contradictionsIn(cluster({ members: [changed, member('db2', 'standby'), member('db3', 'standby')] }));
  test('a server that writes without the lock', () => {
    expect(contradictionsIn(cluster({ leader: 'db2' }))).toEqual(
      expect.arrayContaining(['db1 writes, and the lock is with db2', 'db2 holds the lock, and is a standby']),
    );
  });
  test('a Patroni that is not of the same opinion as its server', () => {
    const server = { role: 'standby', timeline: 3 } as const;
    expect(withServer(member('db1', 'primary', { server })).join()).toContain(
      'Patroni on db1 says that its server is primary, the server itself standby',
    );
  });
  test('another timeline than the primary writes on; of a standby only its own user knows', () => {
    expect(withServer(member('db1', 'primary', { server: { role: 'primary', timeline: 4 } }))).toEqual([
      'Patroni on db1 says timeline 3, the server itself 4',
    ]);
    const members = [
      member('db1', 'primary'),
      member('db2', 'standby', { server: { role: 'standby', timeline: 1 } }),
      member('db3', 'standby'),
    ];
    expect(contradictionsIn(cluster({ members }))).toEqual([]);
  });
  test('a member that the store does not list; not, while the store is away', () => {
    const { listed: _listed, ...unlisted } = member('db3', 'standby');
    const members = [member('db1', 'primary'), member('db2', 'standby'), unlisted];
    expect(contradictionsIn(cluster({ members }))).toEqual(["Patroni's store does not list db3"]);
    expect(contradictionsIn(cluster({ members, storeSilent: 'refused' }))).toEqual([]);
  });
});

describe('objections to a switchover', () => {
  const against = (more: Partial<PatroniCluster>) => objectionsToSwitchover(cluster(more), 'db1', 'db2').join('; ');
  const standby = (more: Partial<PatroniMember>) => ({
    members: [member('db1', 'primary'), member('db2', 'standby', more), member('db3', 'standby')],
  });
  const own = member('db2', 'standby').own;
  test.each<[string, Partial<PatroniCluster>, RegExp]>([
    ['a pause', { paused: true }, /paused.*Resume/],
    ['a store that is away', { storeSilent: 'refused' }, /store cannot be asked \(refused\)/],
    ['a switchover that is planned', { scheduled: 'for 02:00' }, /planned for 02:00/],
    ['another leader', { leader: 'db3' }, /lock is with db3, expected db1/],
    ['the tag nofailover', standby({ tags: { ...tags, nofailover: true } }), /carries the tag nofailover/],
    [
      'a lag that is too large',
      standby({ listed: { role: 'replica', state: 'running', lagBytes: 2_000_000 } }),
      /2000000 bytes behind/,
    ],
    ['a server that starts', standby({ own: own && { ...own, state: 'starting' } }), /is "starting"/],
    ['a replay that is paused', standby({ own: own && { ...own, replayPaused: true } }), /pg_wal_replay_resume/],
    ['a standby that is not synchronous', { synchronous: 'on' }, /no synchronous standby/],
  ])('%s', (_what, more, words) => {
    expect(against(more)).toMatch(words);
  });
  test('not one that streams by the word of a newer Patroni, nor the synchronous one', () => {
    expect(against(standby({ own: own && { ...own, state: 'streaming' } }))).toBe('');
    expect(against({ synchronous: 'on', ...standby({ listed: { role: 'sync_standby', state: 'running' } }) })).toBe('');
  });
  test('a member whose Patroni is silent, whichever it is', () => {
    const { own: _own, ...silent } = member('db3', 'standby');
    expect(against({ members: [member('db1', 'primary'), member('db2', 'standby'), silent] })).toContain(
      'Patroni on db3 does not answer',
    );
  });
});

test('why nobody leads is told from what is known, and nothing else is when the store is away', () => {
  const { leader: _leader, ...leaderless } = cluster({ paused: true });
  expect(whyNobodyLeads(leaderless).join()).toContain('Patroni is paused');
  expect(whyNobodyLeads({ ...leaderless, storeSilent: 'refused' })).toEqual([
    expect.stringContaining('store cannot be asked'),
  ]);
});
