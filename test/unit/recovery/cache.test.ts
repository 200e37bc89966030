import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CacheMember,
  type CacheView,
  hitRatio,
  mayPass,
  noQuorum,
  type Sentinel,
  standingOf,
  wayOutOfNothing,
} from '../../../recovery/cache.ts';

const master = (name: string): CacheMember => ({ name, role: 'master', keys: 10 });
const replica = (name: string, of: string, up = true): CacheMember => ({
  name,
  role: 'replica',
  follows: { master: of, up },
});
const unknown = (name: string): CacheMember => ({ name, role: 'unknown', why: 'nobody listens' });
const sentinel = (name: string, leads: string, down = false, ok = true): Sentinel => ({
  name,
  master: { name: leads, down },
  quorum: { ok, words: ok ? 'OK 3 usable Sentinels' : 'NOQUORUM 1 usable Sentinels' },
});
const silent = (name: string): Sentinel => ({ name, why: 'nobody listens' });
const three = (leads: string, down = false) => ['s1', 's2', 's3'].map((name) => sentinel(name, leads, down));

function view(members: CacheMember[], sentinels: Sentinel[] = three('a:1')): CacheView {
  return { members, sentinels };
}

describe('how a cache stands', () => {
  test('healthy: one master, every other member follows it', () => {
    const found = standingOf(view([master('a:1'), replica('b:1', 'a:1'), replica('c:1', 'a:1')]));
    expect(found).toMatchObject({ kind: 'healthy', master: 'a:1' });
    expect(found.words).toContain('a:1 master, 10 keys');
  });

  test.each<[string, CacheMember]>([
    ['does not answer', unknown('c:1')],
    ['does not hear from it', replica('c:1', 'a:1', false)],
    ['follows somebody else', replica('c:1', 'b:1')],
  ])('a member that %s is away', (_, away) => {
    const found = standingOf(view([master('a:1'), replica('b:1', 'a:1'), away]));
    expect(found).toMatchObject({ kind: 'replicas-away', away: ['c:1'] });
  });

  test('two masters are a split brain, whatever Sentinels say, and whether they answer', () => {
    for (const sentinels of [three('a:1'), [silent('s1'), silent('s2'), silent('s3')]])
      expect(standingOf(view([master('a:1'), master('b:1'), replica('c:1', 'a:1')], sentinels)).kind).toBe('split');
  });

  test('so are Sentinels that disagree, or lead to another one than the master, or to none of the plan', () => {
    const members = [master('a:1'), replica('b:1', 'a:1')];
    const disagree = [sentinel('s1', 'a:1'), sentinel('s2', 'b:1'), sentinel('s3', 'a:1')];
    expect(standingOf(view(members, disagree)).kind).toBe('split');
    expect(standingOf(view(members, three('b:1'))).kind).toBe('split');
    expect(standingOf(view(members, three('10.0.0.9:6379'))).words).toContain('no member of the plan');
  });

  test('a master that only we cannot see is not lost', () => {
    const members = [unknown('a:1'), replica('b:1', 'a:1')];
    expect(standingOf(view(members)).kind).toBe('unseen');
    const one = [sentinel('s1', 'a:1', true), sentinel('s2', 'a:1'), sentinel('s3', 'a:1')];
    expect(standingOf(view(members, one)).kind).toBe('unseen');
    expect(standingOf(view(members, three('a:1', true)))).toMatchObject({ kind: 'master-lost', living: ['b:1'] });
  });

  test('all are lost when nobody answers and Sentinels call the master down', () => {
    expect(standingOf(view([unknown('a:1'), unknown('b:1')], three('a:1', true)))).toMatchObject({
      kind: 'all-lost',
      master: 'a:1',
    });
  });

  test('one that loads its data is waited for', () => {
    const loading: CacheMember = { name: 'a:1', role: 'unknown', loading: true };
    const found = standingOf(view([loading, replica('b:1', 'a:1', false)], three('a:1', true)));
    expect(found.kind).toBe('loading');
    expect(mayPass(found)).toBe(true);
  });

  test('without a quorum nothing is healthy, and who is missing is named', () => {
    const sentinels = [sentinel('s1', 'a:1', false, false), silent('s2'), silent('s3')];
    const found = standingOf(view([master('a:1'), replica('b:1', 'a:1')], sentinels));
    expect(found.kind).toBe('no-quorum');
    expect(found.words).toContain('0 of 3 Sentinels');
    expect(found.words).toContain('s2: nobody listens');
    expect(mayPass(found)).toBe(false);
  });

  test('a nearly full memory and a failing append-only file are said', () => {
    const full: CacheMember = {
      ...master('a:1'),
      memory: { usedBytes: 96, mostBytes: 100 },
      appendOnly: 'failing',
    };
    const { words } = standingOf(view([full, replica('b:1', 'a:1')]));
    expect(words).toContain('memory nearly full');
    expect(words).toContain('append-only file FAILS');
  });

  test('two masters are never anything but a split brain', () => {
    const role = fc.constantFrom<CacheMember['role']>('master', 'replica', 'unknown');
    fc.assert(
      fc.property(fc.array(role, { minLength: 1, maxLength: 5 }), fc.boolean(), (roles, down) => {
        const members = roles.map((one, index): CacheMember => ({ name: `${index}:1`, role: one }));
        const { kind } = standingOf(view(members, three('0:1', down)));
        const masters = roles.filter((one) => one === 'master').length;
        if (masters > 1) expect(kind).toBe('split');
        if (kind === 'healthy') expect(masters).toBe(1);
        // An answer of a master is never overheard.
        if (kind === 'master-lost' || kind === 'all-lost') expect(masters).toBe(0);
      }),
    );
  });
});

test('most of the Sentinels of the plan must be able to agree, not most of those that answer', () => {
  expect(noQuorum(three('a:1'))).toBeUndefined();
  expect(noQuorum([sentinel('s1', 'a:1'), sentinel('s2', 'a:1'), silent('s3')])).toBeUndefined();
  expect(noQuorum([sentinel('s1', 'a:1'), silent('s2'), silent('s3')])).toContain('expected 2 at least');
});

describe('when nobody answers', () => {
  const lies = (name: string, content: boolean) => ({ name, running: false, content });

  test('what lies on the disk of the master is started first', () => {
    expect(wayOutOfNothing('a:1', [lies('a:1', true), lies('b:1', true)])).toEqual({ way: 'start', first: 'a:1' });
  });

  test('an empty master never comes before a replica that has something', () => {
    expect(wayOutOfNothing('a:1', [lies('a:1', false), lies('b:1', true), lies('c:1', false)])).toEqual({
      way: 'failover',
      start: ['b:1'],
    });
  });

  test('only when nothing lies anywhere is it restored', () => {
    expect(wayOutOfNothing('a:1', [lies('a:1', false), lies('b:1', false)])).toEqual({ way: 'restore' });
  });
});

describe('the hit ratio', () => {
  const at = (hits: number, misses: number, runId = 'r1'): CacheMember => ({
    ...master('a:1'),
    runId,
    asked: { hits, misses },
  });

  test('is that of what was asked for in between', () => {
    expect(hitRatio(at(1_000, 9_000), at(1_090, 9_010))).toEqual({ ratio: 0.9, hits: 90, misses: 10 });
  });

  test('is not known when nothing was, or when the server was started anew', () => {
    expect(hitRatio(at(5, 5), at(5, 5))).toBeUndefined();
    expect(hitRatio(at(5, 5), at(9, 5, 'r2'))).toBeUndefined();
  });
});
