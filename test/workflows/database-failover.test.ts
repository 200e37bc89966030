import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { Fence } from '../../plan/schema.ts';
import type { DatabaseFailoverInput } from '../../workflows/messages.ts';
import { agreed, approved, estateThatAsks, evidenceAtEnd, openOrEnded } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { locks } from './switching.ts';
import { estateWithPeople, signedBy, started } from './talk.ts';

const rig = useRig({ locks });

/** db1 is dead; its host worker answers. What it had written beyond db2 makes it one that has left the line. */
function estateWithoutPrimary(): FakeEstate {
  const estate = estateThatAsks();
  estate.pair.servers.db1.running = false;
  estate.pair.door = 'closed';
  const { rebuild } = estate;
  rebuild.who = 'db1';
  rebuild.standby.host = 'db1';
  Object.assign(rebuild.kept, {
    ...{ host: 'db2', timeline: 2, ancestors: [{ timeline: 1, forkLsn: '0/A000060' }] },
    keepsFrom: '0/7000000',
  });
  return estate;
}

/** Neither its server nor its host worker answers. */
function estateWithoutHost(): FakeEstate {
  const estate = estateWithoutPrimary();
  estate.silent = ['db1'];
  return estate;
}

function fencedBy(estate: FakeEstate, ...fencing: Fence[]): FakeEstate {
  estate.plan.failover = { fencing };
  return estate;
}

const powerSwitch: Fence = {
  kind: 'command',
  host: 'db2',
  fence: ['/usr/local/bin/power', 'off'],
  confirm: ['/usr/local/bin/power', 'is-off'],
  within: 60_000,
};

async function failOver(estate: FakeEstate, input: DatabaseFailoverInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'databaseFailover', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await agreed(handle);
  return evidenceAtEnd(handle, estate);
}

const changed = (estate: FakeEstate) =>
  estate.calls.filter((name) => /^(close|fence|promote|open|unfence|release|reattach|rewind)/.test(name));

const found = (evidence: Evidence, name: string) => evidence.steps.find((step) => step.name === name)?.found;

test('the standby takes over from a primary that is dead, and the old primary comes back as its standby', async () => {
  const estate = estateWithoutPrimary();
  estate.failover.past = 2;
  estate.pair.missingPulses = 2;
  const evidence = await failOver(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.leftFenced).toBeUndefined();
  expect(estate.pair).toMatchObject({
    door: 'db2',
    servers: {
      db1: { running: true, role: 'standby', timeline: 2 },
      db2: { running: true, role: 'primary', timeline: 2 },
    },
  });
  expect(changed(estate).slice(0, 4)).toEqual(['closeDoor', 'fenceServer', 'promoteStandby', 'openDoor']);
  const [approval] = evidence.approvals ?? [];
  expect(approval?.subject).toMatchObject({ from: 'db1', to: 'db2', 'holds up to': '0/9FFFF00' });
  expect(approval?.shown['would be lost']).toContain('2 acknowledged pulses, 2000 ms');
  expect(approval?.shown['the old primary']).toContain('to start it again there would lose nothing');
});

test('where the old primary has written what the new one never had, people are asked before that is given up', async () => {
  const estate = estateWithoutPrimary();
  const { standby } = estate.rebuild;
  if (standby.past !== undefined) Object.assign(standby.past, { as: 'primary', reached: '0/B000028', orderly: false });
  const evidence = await failOver(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence.approvals?.map(({ name }) => name)).toEqual(['Fail over', 'Replace the standby']);
  expect(evidence.approvals?.[1]?.subject['is lost']).toContain('12 transactions');
  expect(estate.pair.servers.db1).toMatchObject({ running: true, role: 'standby', timeline: 2 });
});

test('the loss that was counted stands beside the one that was estimated, and is no failure', async () => {
  const estate = estateWithoutPrimary();
  estate.failover.past = 3;
  estate.pair.missingPulses = 2;
  estate.pair.lostMs = 1_700;
  const evidence = await failOver(estate);
  const measured = Object.fromEntries(evidence.measurements.map(({ name, value }) => [name, value]));
  expect(measured).toMatchObject({
    'acknowledged pulses that the standby lacks': 3,
    'acknowledged pulses lost': 2,
    'writes stopped': 1_300,
  });
  expect(evidence).toMatchObject({ outcome: 'completed', rpo: { valueMs: 1_700 } });
  expect(evidence.rto.valueMs).toBeGreaterThanOrEqual(0);
  expect(evidence.flags).not.toContain('equality-not-proven');
});

test('a worker that only reads can run it as a dry run, which lists every change', async () => {
  const estate = estateWithoutPrimary();
  const summary = await rig.run(estate, 'databaseFailover', [{}], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(changed(estate)).toEqual([]);
  const steps = estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expect(steps).toEqual([
    'Close the front door',
    'Fence the old primary',
    'Promote the standby',
    'Open the front door to the new primary',
    "Leave db1 to the load balancer's check",
    'Write a checkpoint on the new primary',
    'Take an anchor on the new primary',
    'Take a backup of the new primary',
  ]);
});

test.each([
  [
    'the control worker still reaches it',
    (estate: FakeEstate) => Object.assign(estate.pair.servers.db1, { running: true }),
  ],
  ["the standby's host still reaches it", (estate: FakeEstate) => Object.assign(estate.failover, { answers: true })],
  ['the standby still receives from it', (estate: FakeEstate) => Object.assign(estate.failover, { receives: true })],
])('a primary that only seems to be lost is left alone: %s', async (_how, seen) => {
  const estate = estateWithoutPrimary();
  seen(estate);
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ServerAlive' } });
  expect(changed(estate)).toEqual([]);
});

test('a primary that is back while people decide is left alone', async () => {
  const estate = estateWithoutPrimary();
  const handle = await rig.start(estate, 'databaseFailover', [{ mode: 'live', requestedBy: 'cara' }]);
  estate.seen = (name) => {
    // The approval is open once its facts have been read.
    if (name === 'pulsesPast' && estate.calls.filter((one) => one === name).length === 2)
      estate.failover.answers = true;
  };
  await approved(handle);
  await handle.result().catch(() => undefined);
  expect(estate.written[0]?.failure?.type).toBe('ServerAlive');
  expect(changed(estate)).toEqual([]);
});

test.each([
  ['fenceServer', 'ServerControlFailed'],
  ['replayedAll', 'StandbyUnfit'],
] as const)(
  'when %s fails with %s, nothing is promoted, and what was fenced may be the primary again',
  async (activity, type) => {
    const estate = estateWithoutPrimary();
    if (estate.plan.people !== undefined)
      estate.plan.people.decisions = { group: 'dba', deadline: 8 * 60 * 60_000, escalate: [] };
    estate.before = (name) => {
      if (name === activity) throw failure(type, 'made to fail');
    };
    const evidence = await failOver(estate);
    expect(evidence).toMatchObject({ failure: { type } });
    expect(estate.pair.servers).toMatchObject({ db1: { running: false, signal: false }, db2: { role: 'standby' } });
  },
);

test('where the archive holds more than the standby, nobody is promoted before people have looked', async () => {
  const estate = estateWithoutPrimary();
  estate.failover.end = '0/9FFFF00';
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({
    failure: { type: 'StandbyUnfit', message: expect.stringContaining('the archive holds WAL up to 0/A000000') },
  });
  expect(estate.pair.servers).toMatchObject({ db1: { signal: false }, db2: { role: 'standby' } });
});

test('without a host worker, and without another fence in the plan, nothing begins', async () => {
  const estate = estateWithoutHost();
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({
    outcome: 'failed',
    failure: { type: 'NotFenced', message: expect.stringContaining('no host worker answers on db1') },
  });
  expect(changed(estate)).toEqual([]);
});

test('a power switch fences a host that does not answer, which is left fenced', async () => {
  const estate = fencedBy(estateWithoutHost(), { kind: 'postgres' }, powerSwitch);
  const evidence = await failOver(estate);
  expect(evidence.failure).toBeUndefined();
  expect(found(evidence, 'It is known how the old primary is fenced')).toContain(
    'Not postgres: no host worker answers',
  );
  expect(changed(estate)).toEqual(['closeDoor', 'fenceByCommand', 'promoteStandby', 'openDoor']);
  expect(evidence.leftFenced).toMatchObject({ host: 'db1', byHand: expect.stringContaining('standby-rebuild orders') });
  expect(evidence.toDo).toMatch(/^db1 is left fenced/);
});

test('a power switch that does not say that it is off promotes nobody', async () => {
  const estate = fencedBy(estateWithoutHost(), powerSwitch);
  estate.failover.switchWorks = false;
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({ failure: { type: 'NotFenced' } });
  expect(estate.calls).not.toContain('promoteStandby');
});

test('a host that has its power back before the promotion, and reads as on, promotes nobody', async () => {
  const estate = fencedBy(estateWithoutHost(), powerSwitch);
  estate.before = (name) => {
    if (name === 'confirmFence') estate.pair.servers.db1.off = false;
  };
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({ failure: { type: 'NotFenced', message: expect.stringContaining('is on again') } });
  expect(estate.calls).not.toContain('promoteStandby');
});

test('a primary that is back by itself just before the promotion is left alone', async () => {
  const estate = estateThatAttests();
  estate.before = (name) => {
    if (name === 'replayedAll') Object.assign(estate.pair.servers.db1, { running: true, off: false });
  };
  const evidence = await attested(estate, [{ reason: 'console of rack 4: no light' }]);
  expect(evidence).toMatchObject({
    failure: { type: 'NotFenced', message: expect.stringContaining('is back as a primary') },
  });
  expect(estate.calls).not.toContain('promoteStandby');
});

test('a server that could only start as a standby before is left so when the failover is undone', async () => {
  const estate = estateWithoutPrimary();
  estate.pair.servers.db1.signal = true;
  estate.before = (name) => {
    if (name === 'replayedAll') throw failure('StandbyUnfit', 'made to fail');
  };
  const evidence = await failOver(estate);
  expect(evidence).toMatchObject({ failure: { type: 'StandbyUnfit' } });
  expect(estate.calls).not.toContain('unfenceServer');
  expect(estate.pair.servers.db1).toMatchObject({ running: false, signal: true });
});

test('a switch that would run on the lost host itself is not used', async () => {
  const estate = fencedBy(estateWithoutPrimary(), { ...powerSwitch, host: 'db1' });
  expect((await failOver(estate)).failure?.message).toContain('would run on db1 itself');
});

/** One signed yes is enough; nobody decides about a failed step. */
function estateThatAttests(): FakeEstate {
  const { plan } = estateThatAsks();
  const estate = estateWithPeople({ quorum: 1 });
  estate.plan.database = plan.database;
  delete estate.plan.people?.decisions;
  estate.pair.servers.db1 = { running: false, role: 'primary', timeline: 1, slots: ['db2'], off: true };
  estate.pair.door = 'closed';
  estate.silent = ['db1'];
  return fencedBy(estate, { kind: 'attestation', validFor: 30 * 60_000 });
}

interface Word {
  reason?: string;
  signed?: false;
}

/** Ana answers all that is asked: the attestation with these words, one after the other, and then the failover. */
async function attested(estate: FakeEstate, words: Word[], wait?: string): Promise<Evidence> {
  const handle = await rig.start(estate, 'databaseFailover', [started]);
  const answer = async ({ reason, signed }: Word) => {
    const open = await openOrEnded(handle);
    if (open === undefined) return;
    const { id, code } = open;
    const signature = signed === false ? {} : { signature: signedBy('ana') };
    await handle.signal('approve', { by: 'ana', approval: id, code, ...signature, ...(reason ? { reason } : {}) });
    await until({ what: 'the answer to be taken', withinMs: 60_000 }, async () => {
      const { approvals = [] } = await handle.query<Evidence>('evidence');
      return approvals.find((one) => one.id === id)?.closedAt !== undefined;
    });
  };
  for (const word of words) await answer(word);
  if (wait !== undefined) await rig.pass(wait);
  await answer({});
  return evidenceAtEnd(handle, estate);
}

test('a person attests that a host is off, signed and with how it was seen: then it is believed', async () => {
  const estate = estateThatAttests();
  const evidence = await attested(estate, [{ reason: 'console of rack 4: no light' }]);
  expect(evidence.failure).toBeUndefined();
  expect(changed(estate)).toEqual(['closeDoor', 'promoteStandby', 'openDoor']);
  const [form, failover] = evidence.approvals ?? [];
  expect(form?.subject).toMatchObject({
    host: 'db1',
    'I attest 1': expect.stringContaining('powered off or isolated'),
  });
  expect(form?.clicks[0]).toMatchObject({ by: 'ana', signed: 'person', reason: 'console of rack 4: no light' });
  expect(failover?.shown['the attestation holds until']).toBeDefined();
  expect(failover?.shown['the fence stops']).toContain('nothing: it rests on what a person has seen');
});

test('an attestation that does not say how it was seen is asked for again, and ends the run the third time', async () => {
  const estate = estateThatAttests();
  const evidence = await attested(estate, [{}, {}, {}]);
  expect(evidence).toMatchObject({
    failure: { type: 'NotFenced', message: expect.stringContaining('how it was seen') },
  });
  expect(evidence.approvals?.map(({ round }) => round)).toEqual([1, 2, 3]);
  expect(changed(estate)).toEqual([]);
});

test('an attestation without a signature does not count, even where a plan lets unsigned approvals count', async () => {
  const estate = estateThatAttests();
  if (estate.plan.people !== undefined) estate.plan.people.unsigned = 'allowed';
  const unsigned: Word = { reason: 'seen', signed: false };
  const evidence = await attested(estate, [unsigned, unsigned, unsigned]);
  expect(evidence).toMatchObject({
    failure: { type: 'NotFenced', message: expect.stringContaining('did not sign it') },
  });
  expect(changed(estate)).toEqual([]);
});

test('an attestation that has become too old promotes nobody, and closes nothing', async () => {
  const estate = estateThatAttests();
  const rule = estate.plan.people?.approvals.default;
  if (rule !== undefined) rule.deadline = 2 * 60 * 60_000;
  const evidence = await attested(estate, [{ reason: 'seen' }], '45m');
  expect(evidence).toMatchObject({
    failure: { type: 'NotFenced', message: expect.stringContaining('was believed until') },
  });
  expect(changed(estate)).toEqual([]);
});
