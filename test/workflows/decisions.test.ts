/** A step of a live run that fails for good waits for a person. */
import { describe, expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';

const rig = useRig();

/** The far gate does not open, so often. */
function stuck(estate: FakeEstate, times: number, activity = 'runAssertions'): FakeEstate {
  let tries = 0;
  estate.before = (name) => {
    if (name !== activity) return;
    tries += 1;
    if (tries <= times) throw failure('AssertionsFailed', `stuck for the ${tries}. time`);
  };
  return estate;
}

const easy = () => estateWithPeople({ quorum: 1 });

async function afloat(estate: FakeEstate, input: object = started): Promise<Talk> {
  const talk = new Talk(await rig.start(estate, 'crossing', [input]));
  await talk.approve('ana');
  return talk;
}

const step = (estate: FakeEstate, name: string) => estate.written.at(-1)?.steps.find((one) => one.name === name);
const times = (estate: FakeEstate, activity: string) => estate.calls.filter((name) => name === activity).length;

describe('a failed step', () => {
  test('is tried again as often as people say, and nothing that is finished runs twice', async () => {
    const estate = stuck(easy(), 2);
    const talk = await afloat(estate);
    const first = await talk.failed();
    expect(first).toMatchObject({
      step: 'database/open-the-far-gate',
      attempt: 1,
      offers: ['retry', 'abort'],
      failure: { type: 'AssertionsFailed', message: 'stuck for the 1. time' },
    });
    expect(await talk.decide('ben', 'retry')).toMatchObject({ refused: false });
    const second = await talk.failed(2);
    expect(second.code).not.toBe(first.code);
    const old = { by: 'ben', code: first.code, action: 'abort', signature: signedBy('ben') };
    expect(await talk.send('decide', old)).toMatchObject({
      refused: true,
      said: expect.stringMatching(/Too late.*retry, by Ben/),
    });
    await talk.decide('cem', 'retry', { reason: 'oiled it' });
    expect(await talk.endsWith()).toBe('no failure');
    expect([times(estate, 'runAssertions'), times(estate, 'endOfRecovery'), times(estate, 'promoteScratch')]).toEqual([
      3, 1, 1,
    ]);
    expect(step(estate, 'Open the far gate')).toMatchObject({ state: 'done' });
    expect(step(estate, 'Open the far gate')?.failure).toBeUndefined();
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'completed',
      decisions: [
        { action: 'retry', by: 'ben' },
        { action: 'retry', by: 'cem', reason: 'oiled it' },
      ],
    });
  });

  test('keeps its idempotency key when it is tried again, under another activity id', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    await talk.decide('ben', 'retry');
    expect(await talk.endsWith()).toBe('no failure');
    const { events } = await talk.run.fetchHistory();
    const asked = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: one }) =>
      one?.activityType?.name === 'runAssertions'
        ? [{ id: one.activityId, ask: JSON.parse(Buffer.from(one.input?.payloads?.[0]?.data ?? []).toString()) }]
        : [],
    );
    expect(asked.map(({ id }) => id)).toEqual(['database/open-the-far-gate', 'database/open-the-far-gate-again-2']);
    expect(asked[0]?.ask.key).toBe(asked[1]?.ask.key);
  });

  test('may be an approval whose facts cannot be read, before it is asked or when all have said yes; then it is asked anew', async () => {
    const estate = easy();
    let looks = 0;
    estate.before = (name) => {
      if (name !== 'serviceMoment') return;
      looks += 1;
      if (looks === 2 || looks === 4) throw failure('AssertionsFailed', `nothing to be seen at look ${looks}`);
    };
    const talk = new Talk(await rig.start(estate, 'crossing', [started]));
    expect(await talk.failed()).toMatchObject({ step: 'database/cross-the-river', offers: ['retry', 'abort'] });
    await talk.decide('ben', 'retry');
    const first = await talk.asked();
    await talk.approve('ana');
    expect((await talk.failed(2)).failure.message).toContain('look 4');
    await talk.decide('ben', 'retry');
    expect((await talk.asked()).code).not.toBe(first.code);
    // What was said to the first question counts for the second as little as for any other.
    expect(await talk.send('approve', { by: 'ben', code: first.code, signature: signedBy('ben') })).toMatchObject({
      refused: true,
    });
    await talk.approve('ben');
    expect(await talk.endsWith()).toBe('no failure');
    const { approvals, outcome } = estate.written.at(-1) ?? {};
    expect(outcome).toBe('completed');
    expect(
      approvals?.map((one) => [one.outcome, one.clicks.filter(({ counted }) => counted).map(({ by }) => by)]),
    ).toEqual([
      ['ended', ['ana']],
      ['approved', ['ben']],
    ]);
  });

  test('is skipped with a reason where the run can do without it, and the run does not read as plain success', async () => {
    const estate = stuck(easy(), 1, 'checkPages');
    const talk = await afloat(estate);
    expect((await talk.failed()).offers).toEqual(['retry', 'skip', 'abort']);
    expect(await talk.decide('ben', 'skip')).toMatchObject({ refused: true, said: expect.stringContaining('reason') });
    expect(await talk.decide('ben', 'skip', { reason: '  ' })).toMatchObject({ refused: true });
    await talk.decide('ben', 'skip', { reason: 'counted by hand' });
    await talk.run.result();
    expect(estate.written.at(-1)).toMatchObject({ outcome: 'completed', flags: ['skips'] });
    expect(step(estate, 'Everybody is across')).toMatchObject({
      state: 'skipped',
      found: 'skipped by Ben: counted by hand',
      failure: { type: 'AssertionsFailed' },
    });
  });

  test('is not skipped where the run cannot do without it', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    expect(await talk.decide('ben', 'skip', { reason: 'never mind' })).toMatchObject({
      refused: true,
      said: expect.stringContaining('cannot go on without'),
    });
    expect(await talk.decide('ben', 'forget')).toMatchObject({ refused: true });
    expect((await talk.failed()).clicks).toHaveLength(2);
  });

  test('ends the run when people say so, and what can be taken back is', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    await talk.decide('ben', 'abort', { reason: 'tomorrow' });
    expect(await talk.endsWith()).toBe('Aborted');
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'aborted',
      failure: {
        type: 'Aborted',
        message: expect.stringMatching(/Ben has ended the run because "Open the far gate" failed.*tomorrow/),
      },
      notUndone: [{ name: 'Cross' }, { name: 'Load the ferry' }, { name: 'Close the gate' }],
    });
    // What was armed behind the point of no return is taken back, what it has sealed is not.
    expect([times(estate, 'pulsesRestored'), times(estate, 'removeScratch')]).toEqual([1, 0]);
  });
});

describe('who is asked', () => {
  test('the group of the plan; a stranger and a click without a signature are refused', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    expect(await talk.decide('dora', 'retry')).toMatchObject({
      refused: true,
      said: expect.stringContaining('is not asked'),
    });
    expect(await talk.decide('mallory', 'retry')).toMatchObject({ refused: true });
    expect(await talk.decide('ben', 'retry', { signature: undefined })).toMatchObject({ refused: true });
    expect((await talk.failed()).clicks.map(({ by, signed, counted }) => [by, signed, counted])).toEqual([
      ['dora', 'person', false],
      ['mallory', 'unchecked', false],
      ['ben', 'no', false],
    ]);
  });

  test('further groups while nobody decides, and the time of it all is that of people', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    await talk.failed();
    await rig.pass('31m');
    expect((await talk.failed()).asked.map(({ group, people }) => [group, people])).toEqual([
      ['dba', ['ana', 'ben', 'cem']],
      ['lead', ['ana', 'ben', 'cem', 'dora']],
    ]);
    await talk.decide('dora', 'retry');
    expect(await talk.endsWith()).toBe('no failure');
    const database = estate.written.at(-1)?.phases.find(({ name }) => name === 'database');
    expect(database?.peopleMs).toBeGreaterThanOrEqual(31 * 60_000);
    expect(database?.peopleMs).toBeLessThan(40 * 60_000);
  });

  test('nobody decides: the run ends when the time is up', async () => {
    const estate = stuck(easy(), 1);
    const talk = await afloat(estate);
    await talk.failed();
    expect(await talk.endsWith()).toBe('Undecided');
    const evidence = estate.written.at(-1);
    expect(evidence).toMatchObject({
      outcome: 'aborted',
      failure: { message: expect.stringContaining('nobody decided in 8 h') },
    });
    expect(evidence?.decisions?.[0]?.asked).toHaveLength(2);
  });

  test.each<[string, object, (estate: FakeEstate) => void]>([
    ['in a dry run', { mode: 'dry-run' }, () => undefined],
    ['where the plan has no decisions', started, ({ plan }) => delete plan.people?.decisions],
  ])('nobody, %s: the failure stands', async (_where, input, change) => {
    const estate = stuck(easy(), 1, 'serviceMoment');
    change(estate);
    const talk = new Talk(await rig.start(estate, 'crossing', [input]));
    expect(await talk.endsWith()).toBe('AssertionsFailed');
    expect(estate.written.at(-1)?.decisions).toBeUndefined();
  });

  test('nobody, in a runbook that runs unattended', async () => {
    const estate = easy();
    estate.before = (name) => {
      if (name === 'takeBackup') throw failure('BackupCorrupt', 'no use');
    };
    const talk = new Talk(await rig.start(estate, 'backup', [{ mode: 'live' }]));
    expect(await talk.endsWith()).toBe('BackupCorrupt');
  });
});

test('branches side by side go on while one of them waits', async () => {
  const estate = stuck(easy(), 1, 'checkConstraints');
  const talk = new Talk(await rig.start(estate, 'crossing', [started]));
  expect(await talk.failed()).toMatchObject({ step: 'database/load-the-ferry' });
  const floats = async () => (await talk.evidence()).steps.find(({ name }) => name === 'The ferry floats')?.state;
  await expect.poll(floats, { timeout: 20_000 }).toBe('done');
  await talk.decide('ben', 'retry');
  await talk.approve('ana');
  expect(await talk.endsWith()).toBe('no failure');
});

test('two steps that wait are told apart by their codes', async () => {
  const estate = easy();
  let tries = 0;
  estate.before = (name) => {
    if (!['checkConstraints', 'checkIndexes'].includes(name)) return;
    tries += 1;
    if (tries <= 2) throw failure('AssertionsFailed', 'it leaks');
  };
  const talk = new Talk(await rig.start(estate, 'crossing', [started]));
  await expect.poll(async () => (await talk.evidence()).decisions?.length, { timeout: 20_000 }).toBe(2);
  expect(await talk.send('decide', { by: 'ben', code: '', action: 'retry', signature: signedBy('ben') })).toMatchObject(
    {
      refused: true,
    },
  );
  for (const { code, step: id } of (await talk.evidence()).decisions ?? [])
    await talk.send('decide', { by: 'ben', code, step: id, action: 'retry', signature: signedBy('ben') });
  await talk.approve('ana');
  expect(await talk.endsWith()).toBe('no failure');
});
