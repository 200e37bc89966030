/** An open approval: what becomes of it in time, what people may say, and what happens when its facts change. */
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Approval } from '../../evidence/people.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';

const rig = useRig();

async function cross(estate: FakeEstate, input: object = started): Promise<Talk> {
  return new Talk(await rig.start(estate, 'crossing', [input]));
}

/** Who has crossed went through the approval. */
const crossed = (estate: FakeEstate): boolean => estate.calls.includes('endOfRecovery');
const gateOpenAgain = (estate: FakeEstate): boolean => estate.calls.includes('removeScratch');

function approvals(estate: FakeEstate): Approval[] {
  return estate.written.at(-1)?.approvals ?? [];
}

describe('the deadline', () => {
  test('people are reminded before it, and then it is denied and undone', async () => {
    const estate = estateWithPeople({ warnBefore: 4 * 60_000 });
    const talk = await cross(estate);
    await talk.approve('ana');
    expect(await talk.endsWith()).toBe('NotApproved');
    const [approval] = approvals(estate);
    const minutesTo = (at = '') => Math.round((Date.parse(at) - Date.parse(approval?.openedAt ?? '')) / 60_000);
    expect(approval).toMatchObject({ outcome: 'expired', why: '1 of 2 had approved when the time was up' });
    expect([minutesTo(approval?.warnedAt), minutesTo(approval?.closedAt)]).toEqual([11, 15]);
    expect(estate.written.at(-1)).toMatchObject({ outcome: 'aborted', failure: { type: 'NotApproved' } });
    expect(gateOpenAgain(estate)).toBe(true);
    expect(crossed(estate)).toBe(false);
  });

  test('the next group is asked when it passes, the earlier one may still answer, and one in both counts once', async () => {
    const estate = estateWithPeople({ onExpiry: 'escalate', escalateTo: ['lead', 'office'] });
    const talk = await cross(estate);
    await talk.approve('ana');
    await rig.pass('16m');
    expect((await talk.asked()).asked.map(({ group, people }) => [group, people])).toEqual([
      ['dba', ['ana', 'ben']],
      ['lead', ['ana', 'ben', 'dora']],
    ]);
    expect((await talk.approve('ana')).said).toContain('already');
    await talk.approve('dora');
    expect(await talk.endsWith()).toBe('no failure');
  });

  test('when no group is left it is denied', async () => {
    const estate = estateWithPeople({ onExpiry: 'escalate', escalateTo: ['lead'] });
    const talk = await cross(estate);
    expect(await talk.endsWith()).toBe('NotApproved');
    const [approval] = approvals(estate);
    expect(approval?.asked).toHaveLength(2);
    expect(Date.parse(approval?.closedAt ?? '') - Date.parse(approval?.openedAt ?? '')).toBeGreaterThanOrEqual(
      30 * 60_000,
    );
  });

  test('a drill may go on without an answer', async () => {
    const estate = estateWithPeople({ onExpiry: 'proceed' });
    const talk = new Talk(await rig.start(estate, 'rowing', [{}]));
    await talk.run.result();
    expect(approvals(estate)).toMatchObject([{ outcome: 'proceeded', chosen: { choice: 'approve' } }]);
    expect(crossed(estate)).toBe(true);
  });

  test('a click after it is answered and kept', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const { code } = await talk.asked();
    // The undo is slow: the run still lives when the click comes.
    let late: Promise<unknown> | undefined;
    estate.before = async (activity) => {
      if (activity === 'removeScratch') late ??= talk.send('approve', { by: 'ana', code, signature: signedBy('ana') });
      if (activity === 'removeScratch') await late;
    };
    expect(await talk.endsWith()).toBe('NotApproved');
    expect(await late).toMatchObject({ refused: true });
    expect(approvals(estate)[0]?.clicks).toMatchObject([{ by: 'ana', counted: false }]);
  });
});

describe('what people say', () => {
  test('a no ends it when the others are too few', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    expect(await talk.reject('ben', { reason: 'not on a Friday' })).toMatchObject({
      refused: false,
      said: expect.stringContaining('1 of 2 rejected, so that 2 can no longer be reached'),
    });
    expect(await talk.endsWith()).toBe('NotApproved');
    expect(approvals(estate)[0]).toMatchObject({ outcome: 'rejected', clicks: [{ reason: 'not on a Friday' }] });
    expect(gateOpenAgain(estate)).toBe(true);
  });

  test('a no ends it when only those are left who cannot sign: nobody waits for an answer that could not count', async () => {
    const estate = estateWithPeople({ group: 'all' });
    const { people } = estate.plan;
    if (people === undefined) throw new Error('the plan has no people');
    people.groups.all = ['ana', 'ben', 'eve', 'cem'];
    if (people.persons.eve) people.persons.eve.keys = [];
    const talk = await cross(estate);
    expect(await talk.reject('ben')).toMatchObject({
      refused: false,
      said: expect.stringContaining('1 of 3 rejected and Eve cannot sign, so that 2 can no longer be reached'),
    });
    expect(await talk.endsWith()).toBe('NotApproved');
    expect(approvals(estate)).toMatchObject([{ outcome: 'rejected' }]);
  });

  test('a no of one is outvoted where the others are enough, and anybody may change their mind', async () => {
    const estate = estateWithPeople({ quorum: 1 });
    const talk = await cross(estate);
    expect(await talk.reject('ana')).toMatchObject({ said: expect.stringContaining('The others are waited for') });
    expect((await talk.asked()).outcome).toBeUndefined();
    await talk.approve('ana');
    expect(await talk.endsWith()).toBe('no failure');
  });

  test('an alternative needs the whole quorum, for one and the same value; then the runbook may ask again', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    await talk.approve('ana', { choice: 'later', value: '2026-11-21T14:00:00Z' });
    await talk.approve('ben', { choice: 'later', value: '2026-11-21T15:00:00Z' });
    expect((await talk.asked()).round).toBe(1);
    // The same moment, written with another offset.
    await talk.approve('ben', { choice: 'later', value: '2026-11-21T16:00:00+02:00' });
    await talk.asked(2);
    await talk.approve('ana');
    await talk.approve('ben');
    expect(await talk.endsWith()).toBe('no failure');
    expect(approvals(estate)).toMatchObject([
      { id: 'database/cross-the-river', chosen: { choice: 'later', value: '2026-11-21T14:00:00.000Z' } },
      { id: 'database/cross-the-river-2', chosen: { choice: 'approve' } },
    ]);
  });

  test('what is not offered, or comes without what it wants, is refused', async () => {
    const talk = await cross(estateWithPeople());
    for (const wrong of [
      { choice: 'never' },
      { choice: 'later' },
      { choice: 'later', value: 'at noon' },
      { value: 'x' },
    ])
      expect(await talk.approve('ana', wrong)).toMatchObject({ refused: true });
  });

  test('whatever the Temporal UI sends is answered in words and harms nothing', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const { code } = await talk.asked();
    const odd = [
      undefined,
      null,
      'approve',
      7,
      [],
      [1, 2],
      {},
      { by: 7 },
      { by: 'ana', code: {} },
      { by: 'ana', code, reason: 5 },
    ];
    for (const payload of odd) {
      expect(await talk.send('approve', payload)).toMatchObject({
        refused: true,
        said: expect.stringMatching(/^Not /),
      });
      await talk.run.signal('reject', payload);
    }
    expect(await talk.send('approve')).toMatchObject({ refused: true });
    const asText = JSON.stringify({ by: 'ana', code: code.toLowerCase(), signature: signedBy('ana') });
    expect(await talk.send('approve', asText)).toMatchObject({ refused: false });
    expect(await talk.send('approve', [{ by: 'ben', code, signature: signedBy('ben') }])).toMatchObject({
      refused: false,
    });
    expect(await talk.endsWith()).toBe('no failure');
    expect(estate.written.at(-1)?.clicks?.length).toBeGreaterThanOrEqual(20);
  });
});

describe('when the facts change', () => {
  /** The river rises at each look from the second on, until it has done so this many times. */
  function rising(estate: FakeEstate, times: number): void {
    let looks = 0;
    estate.before = (activity) => {
      if (activity !== 'serviceMoment') return;
      looks += 1;
      // The first is the assessment, the second the question, the third what is read when the quorum is there.
      if (looks > 2 && looks <= 2 + times) estate.timeline += 1;
    };
  }

  test('a yes to the earlier ones is void, its code does not count any more, and people are asked anew', async () => {
    const estate = estateWithPeople();
    rising(estate, 1);
    const talk = await cross(estate);
    const first = await talk.asked();
    await talk.approve('ana');
    await talk.approve('ben');
    const second = await talk.asked(2);
    expect(second).toMatchObject({ id: 'database/cross-the-river-2', subject: { timeline: 2 }, clicks: [] });
    expect(second.code).not.toBe(first.code);
    const old = await talk.send('approve', { by: 'ana', code: first.code, signature: signedBy('ana') });
    expect(old).toMatchObject({ refused: true, said: expect.stringContaining('timeline: 1 is 2 now') });
    await talk.approve('ana');
    await talk.approve('ben');
    expect(await talk.endsWith()).toBe('no failure');
    expect(approvals(estate).map(({ outcome }) => outcome)).toEqual(['void', 'approved']);
  });

  test('facts that never hold still end the run after twenty rounds', async () => {
    const estate = estateWithPeople({ quorum: 1 });
    rising(estate, 100);
    const talk = await cross(estate);
    for (let round = 1; round <= 20; round += 1) {
      await talk.asked(round);
      await talk.approve('ana');
    }
    expect(await talk.endsWith()).toBe('NotApproved');
    expect(approvals(estate)).toHaveLength(20);
    expect(estate.written.at(-1)?.failure?.message).toContain('20 times');
  });
});

test('the time that people take is theirs and not that of the machine', async () => {
  const estate = estateWithPeople();
  const talk = await cross(estate);
  await talk.asked();
  await rig.pass('10m');
  await talk.approve('ana');
  await talk.approve('ben');
  expect(await talk.endsWith()).toBe('no failure');
  const database = estate.written.at(-1)?.phases.find(({ name }) => name === 'database');
  expect(database?.peopleMs).toBeGreaterThanOrEqual(10 * 60_000);
  expect(database?.peopleMs).toBeLessThan(12 * 60_000);
});

test('looked at while they take it, it is told since when; with the moment of the look it is counted', async () => {
  const estate = estateWithPeople();
  const talk = await cross(estate);
  const { openedAt } = await talk.asked();
  await rig.pass('10m');
  const evidence = await talk.evidence();
  const database = (seen: Evidence) => seen.phases.find(({ name }) => name === 'database');
  expect(database(evidence)?.peopleSince).toBe(openedAt);
  const later = new Date(Date.parse(openedAt) + 7 * 60_000).toISOString();
  expect(database(seenAt(evidence, later))?.peopleMs).toBe(7 * 60_000);
  // To look changes nothing in the run.
  expect(await talk.evidence()).toEqual(evidence);
  await talk.approve('ana');
  await talk.approve('ben');
  expect(await talk.endsWith()).toBe('no failure');
  expect(database(estate.written.at(-1) ?? evidence)).not.toHaveProperty('peopleSince');
});

test('a signature is kept as one that nobody could check, where the sender is unknown or the message cannot be read', async () => {
  const estate = estateWithPeople();
  const talk = await cross(estate);
  const { code } = await talk.asked();
  await talk.send('approve', { by: 'mallory', code, signature: signedBy('ana') });
  await talk.send('approve', { by: 'ana', code, signature: signedBy('ana'), reason: 'x'.repeat(2_001) });
  await talk.send('approve', { by: 'ana', code, reason: 'x'.repeat(2_001) });
  const { approvals: [approval] = [], clicks = [] } = await talk.evidence();
  expect(approval?.clicks.map(({ by, signed }) => [by, signed])).toEqual([['mallory', 'unchecked']]);
  expect(clicks.map(({ by, signed }) => [by, signed])).toEqual([
    ['ana', 'unchecked'],
    ['ana', 'no'],
  ]);
  await talk.run.cancel();
  await talk.endsWith();
});

test('a run that is cancelled asks nobody any more', async () => {
  const estate = estateWithPeople();
  const talk = await cross(estate);
  await talk.asked();
  await talk.run.cancel();
  expect(await talk.endsWith()).toContain('ancelled');
  expect(approvals(estate)).toMatchObject([{ outcome: 'ended' }]);
  expect(gateOpenAgain(estate)).toBe(true);
});
