import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { approved, estateThatAsks, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { locks } from './switching.ts';

const rig = useRig({ locks });

/** The pair in memory, kept by Patroni. */
function keptByPatroni(): FakeEstate {
  const estate = estateThatAsks();
  const { kind: _kind, members, ...common } = estate.plan.database;
  estate.plan.database = {
    ...common,
    kind: 'patroni',
    members: members.map(({ control: _control, ...member }) => member),
    scope: 'orders',
    rest: { port: 8008, protocol: 'http', user: 'lifeboat', password: '$' + '{env:PATRONI}' },
    leaderWithin: 60_000,
  };
  return estate;
}

async function live(estate: FakeEstate, workflow: string, input: object = {}): Promise<Evidence> {
  const handle = await rig.start(estate, workflow, [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await approved(handle);
  return evidenceAtEnd(handle, estate);
}

/** What Lifeboat would do itself on a pair that nobody keeps: never beside Patroni. */
const behindItsBack =
  /^(stop|start|promote(?!Scratch)|standbyOnly|primaryAgain|makeFollower|makeSlot|dropSlot|fence|unfence|closeDoor|openDoor|releaseServer|replace|rewind|reattach|takePlace)/;

const done = (estate: FakeEstate) => estate.calls.filter((name) => behindItsBack.test(name));

test('Patroni is asked to switch over, and what it did is proven; no server and no door is touched by Lifeboat', async () => {
  const estate = keptByPatroni();
  const evidence = await live(estate, 'switchover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(estate.pair).toMatchObject({
    door: 'db2',
    servers: { db1: { role: 'standby', timeline: 2 }, db2: { role: 'primary', timeline: 2 } },
  });
  expect(done(estate)).toEqual([]);
  const proven = evidence.steps.filter(({ kind }) => kind === 'prove').map(({ name }) => name);
  expect(proven).toEqual([
    'The front door leads to the new primary',
    'Every member follows the new primary',
    'The servers themselves say so',
    'The archive holds the new timeline',
    'No acknowledged pulse is lost',
  ]);
});

test('a worker that only reads can run it as a dry run, which asks Patroni for nothing', async () => {
  const estate = keptByPatroni();
  const summary = await rig.run(estate, 'switchover', [{}], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name)).toEqual([
    'Let Patroni switch over',
    'Take an anchor on the new primary',
    'Take a backup of the new primary',
  ]);
});

const spoilt: Record<string, (estate: FakeEstate) => void> = {
  'its store is away': ({ patroni }) => {
    patroni.storeSilent = 'no answer within 5 s';
  },
  'it is paused': ({ patroni }) => {
    patroni.paused = true;
  },
  'the standby may not take over': ({ patroni }) => {
    patroni.nofailover.push('db2');
  },
  'its voices contradict each other': ({ patroni }) => {
    patroni.contradictions.push('db1 writes, and the lock is with db2');
  },
  'the standby replays nothing': ({ pair }) => {
    pair.odd.db2 = { replay: 'paused' };
  },
  'the standby would not archive': ({ pair }) => {
    pair.odd.db2 = { archiving: { mode: 'on', fit: false, why: 'its archive_command is empty' } };
  },
};

test.each([
  ['its store is away', /store cannot be asked/],
  ['it is paused', /Patroni is paused.*Resume it/],
  ['the standby may not take over', /no standby may take over.*nofailover/],
  ['its voices contradict each other', /db1 writes, and the lock is with db2/],
  ['the standby replays nothing', /pg_wal_replay_resume/],
  ['the standby would not archive', /would not archive/],
])('when %s the switchover is refused before anybody is asked', async (what, words) => {
  const estate = keptByPatroni();
  spoilt[what]?.(estate);
  const evidence = await live(estate, 'switchover');
  expect(evidence.failure?.message).toMatch(words);
  expect(evidence.approvals ?? []).toEqual([]);
  expect(estate.calls).not.toContain('patroniSwitchover');
});

test('a Patroni that is paused after it was assessed is asked for nothing', async () => {
  const estate = keptByPatroni();
  estate.before = (name) => {
    if (name === 'storeAnswers') estate.patroni.paused = true;
  };
  const evidence = await live(estate, 'switchover');
  expect(evidence.failure).toMatchObject({ type: 'Moved', message: expect.stringContaining('paused') });
  expect(estate.calls).not.toContain('patroniSwitchover');
});

test('what Patroni refuses leaves all as it was: nobody is asked what becomes of it, and nothing is left behind', async () => {
  const estate = keptByPatroni();
  estate.patroni.refuses = 'switchover is not possible: no good candidates have been found';
  const evidence = await live(estate, 'switchover');
  expect(evidence).toMatchObject({
    outcome: 'failed',
    failure: { type: 'PatroniRefused', message: expect.stringContaining('no good candidates') },
    leftBehind: [],
  });
  expect(evidence.decisions ?? []).toEqual([]);
  expect(estate.pair.door).toBe('db1');
  expect(done(estate)).toEqual([]);
});

test('a switchover of which only the end was not seen is not taken back: it says who leads', async () => {
  const estate = keptByPatroni();
  estate.before = async (name) => {
    if (name !== 'patroniSwitchover') return;
    estate.patroni.failOver('db1', 'db2');
    throw failure('PatroniUnsettled', 'nobody leads after 60 s');
  };
  const evidence = await live(estate, 'switchover');
  expect(evidence.failure?.type).toBe('PatroniUnsettled');
  expect(evidence.leftBehind.join()).toContain('db2 leads by now');
  expect(done(estate)).toEqual([]);
});

test('once Patroni has switched over there is only the way forward: what fails afterwards takes nothing back', async () => {
  const estate = keptByPatroni();
  estate.before = (name) => {
    if (name === 'archiveReaches') throw failure('ArchiveGap', 'a segment is missing');
  };
  const evidence = await live(estate, 'switchover');
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ArchiveGap' }, leftBehind: [] });
  expect(evidence.steps.filter(({ kind }) => kind === 'undo')).toEqual([]);
  const stays = evidence.notUndone?.find(({ name }) => name === 'Let Patroni switch over');
  expect(stays?.why).toContain('db2 writes on a timeline of its own');
  expect(estate.pair.door).toBe('db2');
});

test('two servers that say they are the primary end a switchover as a split brain', async () => {
  const estate = keptByPatroni();
  estate.before = (name) => {
    if (name === 'patroniSettled') estate.pair.odd.db1 = { role: 'primary' };
  };
  const evidence = await live(estate, 'switchover');
  expect(evidence.failure?.type).toBe('SplitBrain');
  expect(evidence.outcome).toBe('failed');
});

test('a failover that Patroni has done by itself is proven, and nothing is changed for it', async () => {
  const estate = keptByPatroni();
  estate.patroni.failOver('db1', 'db2');
  estate.timeline = 2;
  const evidence = await live(estate, 'databaseFailover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftFenced: { host: 'db1' } });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(evidence.rpo?.valueMs).toBe(0);
  expect(done(estate)).toEqual([]);
  expect(estate.calls).not.toContain('patroniFailover');
  expect(evidence.phases.find(({ name }) => name === 'database')?.note).toContain('Patroni had failed over by itself');
});

test('a cluster that was never failed over needs no failover, and is told so', async () => {
  const estate = keptByPatroni();
  const evidence = await live(estate, 'databaseFailover');
  expect(evidence.failure).toMatchObject({
    type: 'ServerAlive',
    message: expect.stringContaining('nothing has been failed over'),
  });
});

test('where nobody leads it is said why, and Patroni is asked once people have said yes', async () => {
  const estate = keptByPatroni();
  estate.pair.servers.db1.running = false;
  estate.patroni.paused = true;
  estate.timeline = 2;
  const evidence = await live(estate, 'databaseFailover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence.outcome).toBe('completed');
  const [approval] = evidence.approvals ?? [];
  expect(JSON.stringify(approval?.shown)).toContain('Patroni is paused: it promotes nobody by itself');
  expect(estate.pair).toMatchObject({ door: 'db2', servers: { db2: { role: 'primary', timeline: 2 } } });
  expect(done(estate)).toEqual([]);
});

test('without the store of Patroni nobody is promoted, and it is said why', async () => {
  const estate = keptByPatroni();
  estate.pair.servers.db1.running = false;
  estate.patroni.storeSilent = 'no answer within 5 s';
  const evidence = await live(estate, 'databaseFailover');
  expect(evidence.failure).toMatchObject({
    type: 'PatroniUnsettled',
    message: expect.stringContaining('promotes nobody beside it'),
  });
  expect(estate.calls).not.toContain('patroniFailover');
});

test.each([
  ['pointInTimeRecovery', { target: '2026-11-21T14:00:00Z' }],
  ['fullRestore', {}],
  ['standbyRebuild', {}],
])('%s does not know Patroni, and says at once what does the same', async (workflow, input) => {
  const estate = keptByPatroni();
  const evidence = await live(estate, workflow, input);
  expect(evidence.failure).toMatchObject({
    type: 'PatroniLeads',
    message: expect.stringContaining('Nothing was changed.'),
  });
  expect(done(estate)).toEqual([]);
  expect(estate.calls).not.toContain('members');
});

test('a drill and a backup run on it as on any other', async () => {
  const estate = keptByPatroni();
  expect(await rig.run(estate, 'monthlyDrill', [{}])).toMatchObject({ outcome: 'proven' });
  expect(await rig.run(estate, 'backup', [{ mode: 'live' }])).toMatchObject({ outcome: 'completed' });
});
