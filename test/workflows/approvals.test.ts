/** Approvals: hours of them, on a server where time is skipped. The runbook is made up (crossing.ts), the layer below it is not. */
import { describe, expect, test } from 'vitest';
import type { Approval } from '../../evidence/people.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { byGateway, estateWithPeople, signedBy, started, Talk } from './talk.ts';

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

describe('who counts', () => {
  test('two people of the group who have not started the run: then it goes on', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    expect(await talk.approve('ana')).toMatchObject({ refused: false, said: expect.stringContaining('1 of 2') });
    expect(crossed(estate)).toBe(false);
    expect(await talk.approve('ben')).toMatchObject({ refused: false, said: expect.stringContaining('2 of 2') });
    expect(await talk.endsWith()).toBe('no failure');
    expect(approvals(estate)).toMatchObject([
      { outcome: 'approved', quorum: 2, chosen: { choice: 'approve' }, why: 'by Ana and Ben', rule: 'default' },
    ]);
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'completed',
      requester: { person: 'cem', certain: true, how: 'signed by Cem' },
    });
  });

  test('the requester does not, nor somebody of another group, nor a stranger', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const answers = [await talk.approve('cem'), await talk.approve('dora'), await talk.approve('mallory')];
    expect(answers.map(({ refused }) => refused)).toEqual([true, true, true]);
    expect(answers.map(({ said }) => said)).toEqual([
      expect.stringContaining('you have started this run'),
      expect.stringContaining('dba can answer: Ana and Ben'),
      expect.stringContaining('nobody is called "mallory"'),
    ]);
    expect(await talk.endsWith()).toBe('NotApproved');
    expect(crossed(estate)).toBe(false);
    expect(approvals(estate)[0]?.clicks.map(({ by, counted }) => [by, counted])).toEqual([
      ['cem', false],
      ['dora', false],
      ['mallory', false],
    ]);
  });

  test('the same person twice is one', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    await talk.approve('ana');
    expect(await talk.approve('ana')).toEqual({ refused: false, said: 'You have approved already (1 of 2).' });
    expect((await talk.asked()).clicks.filter(({ counted }) => counted)).toHaveLength(1);
  });

  test('two clicks of one person at the same moment are one, of two people two', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const said = await Promise.all([talk.approve('ana'), talk.approve('ana')]);
    expect(said.filter((one) => one.said.includes('already'))).toHaveLength(1);
    expect((await talk.asked()).outcome).toBeUndefined();
    const both = await Promise.all([talk.approve('ben'), talk.approve('ana')]);
    expect(both.every(({ refused }) => !refused)).toBe(true);
    expect(await talk.endsWith()).toBe('no failure');
  });

  test('a signal counts as an update does, without an answer', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const { code } = await talk.asked();
    await talk.run.signal('approve', { by: 'ana', code, signature: signedBy('ana'), channel: 'automation' });
    await talk.run.signal('approve', { by: 'cem', code, signature: signedBy('cem') });
    await talk.approve('ben', { signature: byGateway, channel: 'slack' });
    expect(await talk.endsWith()).toBe('no failure');
    expect(
      approvals(estate)[0]?.clicks.map(({ by, channel, signed, counted }) => [by, channel, signed, counted]),
    ).toEqual([
      ['ana', 'automation', 'person', true],
      ['cem', 'unknown', 'person', false],
      ['ben', 'slack', 'gateway', true],
    ]);
  });
});

describe('signatures', () => {
  test('in a live run a click without one, or with a wrong one, is refused and kept', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const { code } = await talk.asked();
    const clicks = [
      { by: 'ana', code },
      { by: 'ana', code, signature: { ...signedBy('ana'), value: 'Zm9yZ2Vk' } },
      { by: 'ana', code, signature: signedBy('ben') },
      { by: 'ana', code, signature: { ...signedBy('ana'), as: 'gateway' } },
      { by: 'ana', code, signature: 'yes' },
    ];
    for (const click of clicks) expect(await talk.send('approve', click)).toMatchObject({ refused: true });
    expect((await talk.asked()).clicks.map(({ signed, counted }) => [signed, counted])).toEqual([
      ['no', false],
      ['forged', false],
      ['forged', false],
      ['forged', false],
      ['forged', false],
    ]);
  });

  test('the plan may allow clicks without one, but never forged ones', async () => {
    const estate = estateWithPeople({}, { unsigned: 'allowed' });
    const talk = await cross(estate);
    const forged = { signature: { ...signedBy('ben'), value: 'Zm9yZ2Vk' } };
    expect(await talk.approve('ben', forged)).toMatchObject({ refused: true });
    await talk.approve('ana', { signature: undefined });
    await talk.approve('ben', { signature: undefined });
    expect(await talk.endsWith()).toBe('no failure');
  });

  test('a start that nobody has signed needs one person more', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate, { mode: 'live', requestedBy: 'somebody' });
    expect((await talk.asked()).quorum).toBe(3);
    for (const person of ['ana', 'ben', 'cem']) await talk.approve(person);
    expect(await talk.endsWith()).toBe('no failure');
  });

  test('a start that says Cem and is not signed is refused where nobody would be left, and says what to do', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate, { mode: 'live', requestedBy: 'cem' });
    expect(await talk.endsWith()).toBe('PlanInvalid');
    expect(estate.written.at(-1)?.failure?.message).toMatch(/needs 3 people.*Ana and Ben.*sign the start/);
    expect(estate.calls).not.toContain('serviceMoment');
  });
});

describe('before anything is done', () => {
  test.each<[what: string, spoil: (estate: FakeEstate) => void, words: RegExp]>([
    ['a plan without people', (estate) => delete estate.plan.people, /people\.approvals\.cross-the-river/],
    [
      'a plan that does not say who gives this approval',
      ({ plan }) => {
        if (plan.people) plan.people.approvals = {};
      },
      /add people\.approvals\.cross-the-river, or people\.approvals\.default/,
    ],
    [
      'an approval by silence',
      ({ plan }) => {
        if (plan.people?.approvals.default) plan.people.approvals.default.onExpiry = 'proceed';
      },
      /in a live run nothing is approved by silence/,
    ],
    [
      'people who cannot sign',
      ({ plan }) => {
        if (plan.people?.persons.ana) plan.people.persons.ana.keys = [];
      },
      /only Ben can approve it with a signature/,
    ],
  ])('%s ends a live run, and the words say what to add', async (_what, spoil, words) => {
    const estate = estateWithPeople();
    spoil(estate);
    const talk = await cross(estate);
    expect(await talk.endsWith()).toBe('PlanInvalid');
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'aborted',
      failure: { message: expect.stringMatching(words) },
    });
    expect(estate.calls).not.toContain('promoteScratch');
  });

  test('a dry run asks nobody, and says who would be asked', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate, { requestedBy: 'cem' });
    expect(await talk.endsWith()).toBe('no failure');
    const step = estate.written.at(-1)?.steps.find(({ kind }) => kind === 'approval');
    expect(step).toMatchObject({
      state: 'listed',
      found: expect.stringMatching(/^would be asked: 2 of dba \(Ana and Ben\)/),
    });
    expect(step?.found).toMatch(/Cem excluded.*for 15 min, then denied/);
    expect(estate.written.at(-1)?.steps.find(({ name }) => name === 'Close the gate')).toMatchObject({
      preview: 'close the gate',
      takesMs: 2_000,
    });
    expect(crossed(estate)).toBe(false);
  });
});

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

test('a run that is cancelled asks nobody any more', async () => {
  const estate = estateWithPeople();
  const talk = await cross(estate);
  await talk.asked();
  await talk.run.cancel();
  expect(await talk.endsWith()).toContain('ancelled');
  expect(approvals(estate)).toMatchObject([{ outcome: 'ended' }]);
  expect(gateOpenAgain(estate)).toBe(true);
});
