import { expect, test } from 'vitest';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { PointInTimeRecoveryInput } from '../../workflows/messages.ts';
import { sampled } from '../sample.ts';
import { evidenceAtEnd } from './asking.ts';
import { failsOn } from './failing.ts';
import type { FakeEstate } from './fake-estate.ts';
import { expectInOrder } from './in-order.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';

const rig = useRig({ locks: ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'] });

const target = 'before 0/7000000';

function estateToRecover(): FakeEstate {
  const estate = estateWithPeople({ quorum: 1 });
  const { plan } = estate;
  plan.database.replication = { user: 'replicator', passfile: '/srv/pgpass', options: {} };
  for (const member of plan.database.members) {
    member.control = { kind: 'pg_ctl' };
    member.beside = `/srv/beside-${member.host}`;
  }
  const told = { within: 60_000, host: 'db1' };
  plan.application.quiesce = { ...told, command: ['/usr/local/bin/orders-stop'] };
  plan.application.resume = { ...told, command: ['/usr/local/bin/orders-go'] };
  delete plan.people?.decisions;
  estate.recovery.follows = true;
  return estate;
}

async function begin(estate: FakeEstate, input: PointInTimeRecoveryInput = {}): Promise<Talk> {
  return new Talk(await rig.start(estate, 'pointInTimeRecovery', [{ ...started, target, ...input }]));
}

const end = ({ run }: Talk, estate: FakeEstate) => evidenceAtEnd(run, estate);

/** Time is skipped only while somebody waits for the end: people would be late. */
function asks({ run }: Talk): Promise<boolean> {
  return until({ what: 'people to be asked, or the end', withinMs: 60_000 }, async () => {
    if ((await run.describe()).status.name !== 'RUNNING') return { asked: false };
    const { approvals = [] } = await run.query<Evidence>('evidence');
    return approvals.some(({ closedAt }) => closedAt === undefined) ? { asked: true } : undefined;
  }).then(({ asked }) => asked);
}

/** With one yes to whatever it asks. */
async function recover(estate: FakeEstate, input: PointInTimeRecoveryInput = {}): Promise<Evidence> {
  const talk = await begin(estate, input);
  if (await asks(talk)) await talk.approve('ana');
  return end(talk, estate);
}

const recovered = {
  door: 'db1',
  servers: {
    db1: { running: true, role: 'primary', timeline: 2, slots: ['db2'] },
    db2: { running: true, role: 'standby', timeline: 2, slots: [] },
  },
};

const asBefore = {
  door: 'db1',
  servers: {
    db1: { running: true, role: 'primary', timeline: 1, slots: ['db2'] },
    db2: { running: true, role: 'standby', timeline: 1, slots: [] },
  },
};

function expectNothingBeside(estate: FakeEstate): void {
  expect(estate.recovery.beside).toEqual({});
}

/** In the order of their first call. */
function orderOf(estate: FakeEstate, ...names: string[]): string[] {
  return [...new Set(estate.calledOn)].filter((name) => names.includes(name));
}

test('the database goes back to its target in place, on every member, and all of it is proven', async () => {
  const estate = estateToRecover();
  const evidence = await recover(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [], flags: [] });
  expect(estate.pair).toMatchObject(recovered);
  expectNothingBeside(estate);
  expect(evidence.target).toEqual({
    lsn: '0/7000000',
    timeline: 1,
    at: '2026-11-21T14:01:00.000Z',
    chosenBy: 'person',
  });
  expect(evidence.equality?.tables.every(({ equal }) => equal)).toBe(true);
  expect(estate.recovery.told).toEqual(['quiesce', 'resume']);
  expect(evidence.ledger).toMatchObject({ source: 'copy', host: 'db1', tables: [{ missing: 3 }, { missing: 0 }] });
  expect(evidence.setAside).toMatchObject(
    ['db1', 'db2'].map((host) => ({
      host,
      dataDirectory: `/srv/${host}`,
      directory: expect.stringMatching(`^/srv/${host}\\.before-`),
    })),
  );
});

test('nobody can write before a byte is restored, and the standby waits for the fork in the archive', async () => {
  const estate = estateToRecover();
  await recover(estate);
  const steps = [
    'closeDoor',
    'restoreBeside db1',
    'promoteScratch db1',
    'stopStandby db2',
    'stopPrimary db1',
    'replaceDirectory db1',
    'startReplaced db1',
    'replaceDirectory db2',
    'startFollower db2',
    'openDoor',
    'takeBackup db1',
  ];
  expect(orderOf(estate, ...steps)).toEqual(steps);
  const between = estate.calledOn.slice(
    estate.calledOn.indexOf('startReplaced db1'),
    estate.calledOn.indexOf('replaceDirectory db2'),
  );
  expect(between).toContain('archiveReaches db1');
});

test('what the target gives up is counted, shown to those who approve, and reported apart from loss that surprised', async () => {
  const estate = estateToRecover();
  const talk = await begin(estate);
  const { subject, shown } = await talk.asked();
  expect(subject).toMatchObject({
    target: 'before 0/7000000, which is 0/7000000',
    'transactions lost': '30',
    'acknowledged pulse writes lost': 23,
    'rows of public.orders': '150 now, 212 after',
  });
  expect(shown['see for yourself']).toContain('user=reader');
  await talk.approve('ana');
  const evidence = await end(talk, estate);
  expect(evidence.measurements).toContainEqual(expect.objectContaining({ name: 'transactions given up', value: 30 }));
  expect(evidence.rpo.how).toContain('the target was chosen');
});

test('a worker that only reads can run it as a dry run, which lists every change and asks nobody', async () => {
  const estate = estateToRecover();
  const summary = await rig.run(estate, 'pointInTimeRecovery', [{ target }], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  const steps = estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expectInOrder(steps, [
    'End the WAL segment that is being written',
    'Let the application stop writing',
    'Close the front door',
    [
      'Restore the backup beside on db1',
      'Restore the backup beside on db2',
      'Replay to the anchor on db1',
      'Replay to the target on db1',
      'Replay to the target on db2',
    ],
    'Promote the restored primary',
    ['Stop the restored server on db1', 'Stop the restored server on db2'],
    'Stop the standby on db2',
    'Stop the primary',
    'Put the restored data in place on db1',
    'Start the recovered primary',
    'Make a slot for db2',
    'Put the restored data in place on db2',
    'Start the standby on db2',
    'Take an anchor on the recovered primary',
    'Open the front door to the recovered primary',
    'Let the application write again',
    "Leave db2 to the load balancer's check",
    ['Remove what is left of the restored server on db1', 'Remove what is left of the restored server on db2'],
    'Take a full backup of the recovered primary',
    'Copy the directory that was set aside',
    'Remove the copy',
  ]);
});

test.each(['rejected', 'expired'])('an approval that is %s leaves the old service as it was', async (how) => {
  const estate = estateToRecover();
  const talk = await begin(estate);
  await talk.asked();
  if (how === 'rejected') for (const by of ['ana', 'ben']) await talk.reject(by);
  const evidence = await end(talk, estate);
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'NotApproved' }, leftBehind: [] });
  expect(estate.pair).toMatchObject(asBefore);
  expectNothingBeside(estate);
  expect(estate.recovery.told).toEqual(['quiesce', 'resume']);
  expect(estate.calls).not.toContain('stopPrimary');
});

test('the target moves forward without a restore, as often as people like, and backward with one', async () => {
  const estate = estateToRecover();
  const talk = await begin(estate, { target: 'before 0/6000000' });
  const move = async (value: string, round: number) => {
    const { code } = await talk.asked(round);
    await talk.send('approve', { by: 'ana', code, choice: 'move-target', value, signature: signedBy('ana') });
  };
  await move('before 0/6100000', 1);
  await move('before 0/7000000', 2);
  await move('before 0/8000000', 3);
  await talk.asked(4);
  const restores = () => estate.calls.filter((name) => name === 'restoreBeside').length;
  expect(restores()).toBe(2);
  await move('before 0/7100000', 4);
  await talk.asked(5);
  expect(restores()).toBe(4);
  await talk.approve('ana');
  const evidence = await end(talk, estate);
  expect(evidence).toMatchObject({ outcome: 'recovered', target: { lsn: '0/7100000' } });
  expect(estate.pair).toMatchObject(recovered);
});

test.each([
  ['the day before yesterday', 'is no target that Lifeboat knows'],
  ['before 0/9000000', '0/9000000 is not in the archive'],
  ['before 0/5000000', 'no backup ends before 0/5000000'],
])('a wish that cannot be fulfilled (%s) ends nothing: people are asked again, and told why', async (value, why) => {
  const estate = estateToRecover();
  const talk = await begin(estate);
  const { code } = await talk.asked(1);
  await talk.send('approve', { by: 'ana', code, choice: 'move-target', value, signature: signedBy('ana') });
  const { shown } = await talk.asked(2);
  expect(shown['the target was not moved']).toContain(why);
  await talk.approve('ana');
  expect(await end(talk, estate)).toMatchObject({ outcome: 'recovered', target: { lsn: '0/7000000' } });
});

/** What may fail once the recovered primary has been started: the archive may know its timeline. */
const afterTheStart = ['startReplaced', 'startFollower', 'makeSlot', 'assertionsLive'] as const;

const beforeTheStart = [
  'restoreBeside',
  'replayTo',
  'fingerprints',
  'pulsesRestored',
  'promoteScratch',
  'stopBeside',
  'stopStandby',
  'stopPrimary',
  'replaceDirectory',
] as const;

test.each(sampled(beforeTheStart, 4, 'before the start'))(
  'when %s fails, everything is bit for bit as it was',
  async (activity) => {
    const estate = estateToRecover();
    failsOn(estate, activity);
    const evidence = await recover(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' }, leftBehind: [] });
    expect(evidence.setAside ?? []).toEqual([]);
    expect(estate.pair).toMatchObject(asBefore);
    expectNothingBeside(estate);
    expect(estate.recovery.told).toEqual(['quiesce', 'resume']);
    expect(estate.calls).not.toContain('startReplaced');
  },
);

test.each(sampled(afterTheStart, 2, 'after the start'))(
  'when %s fails, the old database comes back on a timeline above the recovered one',
  async (activity) => {
    const estate = estateToRecover();
    failsOn(estate, activity);
    const evidence = await recover(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' }, leftBehind: [], setAside: [] });
    expect(estate.pair).toMatchObject({
      door: 'db1',
      servers: { db1: { running: true, role: 'primary', timeline: 3 }, db2: { running: true, role: 'standby' } },
    });
    expectNothingBeside(estate);
    expect(orderOf(estate, 'replaceBack db1', 'returnOnNewTimeline db1', 'startStandby db2', 'openDoor')).toEqual([
      'replaceBack db1',
      'returnOnNewTimeline db1',
      'startStandby db2',
      'openDoor',
    ]);
  },
);

test('the way back waits for an archive that is away as long as the phase may last whose changes it takes back', async () => {
  const estate = estateToRecover();
  failsOn(estate, 'startFollower');
  let patienceMs: number | undefined;
  const hostChanges = estate.hostChanges.bind(estate);
  estate.hostChanges = () => {
    const fakes = hostChanges();
    return {
      ...fakes,
      returnOnNewTimeline: (ask) => {
        patienceMs = ask.outageWithinMs;
        return fakes.returnOnNewTimeline(ask);
      },
    };
  };
  expect(await recover(estate)).toMatchObject({ outcome: 'failed', leftBehind: [] });
  expect(patienceMs).toBe(estate.plan.phases.database);
});

test('an acknowledged pulse from before the target that is not there ends the run before anybody is asked', async () => {
  const estate = estateToRecover();
  estate.missingPulses = 2;
  const evidence = await recover(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'PulsesMissing' } });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(estate.pair).toMatchObject(asBefore);
});

test('once people are let in again nothing is undone: a failure after it leaves the recovered service as it is', async () => {
  const estate = estateToRecover();
  estate.pair.missingPulses = 1;
  const evidence = await recover(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'PulsesMissing' } });
  expect(estate.pair).toMatchObject(recovered);
  expect(estate.calls).not.toContain('replaceBack');
  expect(evidence.setAside).toHaveLength(2);
  expect(evidence.notUndone?.map(({ name }) => name)).toContain('Put the restored data in place on db1');
});

test('an abort while people are asked takes everything back, and says so beforehand', async () => {
  const estate = estateToRecover();
  const talk = await begin(estate);
  await talk.asked();
  const { undoes } = await talk.abortPlan();
  expectInOrder(
    undoes.map(({ name }) => name),
    [
      ['Restore the backup beside on db1', 'Restore the backup beside on db2'],
      'Close the front door',
      'Let the application stop writing',
    ],
  );
  await talk.abort('ana');
  expect(await end(talk, estate)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(estate.pair).toMatchObject(asBefore);
});

test.each([
  [{ target: undefined }, /"target" is missing/],
  [{ target: 'yesterday' }, /"target" is no target that Lifeboat knows/],
  [{ target: '2026-11-21T14:00:00' }, /without an offset/],
])('%o is refused at once', async (input, said) => {
  const talk = await begin(estateToRecover(), input as PointInTimeRecoveryInput);
  await expect(talk.run.result()).rejects.toMatchObject({ cause: { message: expect.stringMatching(said) } });
});

test('a member of another cluster cannot be replaced: nothing is begun', async () => {
  const estate = estateToRecover();
  estate.pair.odd.db2 = { systemIdentifier: '8' };
  const evidence = await recover(estate);
  expect(evidence.failure).toMatchObject({ type: 'StandbyUnfit', message: expect.stringContaining('cluster 8') });
  expect(estate.calls).not.toContain('closeDoor');
});
