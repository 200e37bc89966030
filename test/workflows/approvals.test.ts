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
