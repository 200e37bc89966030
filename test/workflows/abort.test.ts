/** Abort: computed beforehand, confirmed by its code, done in order. */
import { describe, expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';

const rig = useRig();

async function cross(estate: FakeEstate, input: object = started): Promise<Talk> {
  return new Talk(await rig.start(estate, 'crossing', [input]));
}

const calls = (estate: FakeEstate, ...names: string[]) => estate.calls.filter((name) => names.includes(name));
// In the order in which they are undone.
const undos = ['smoke', 'removeScratch'] as const;

describe('an abort', () => {
  test('says what it would take back, and does exactly that, newest first', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    await talk.asked();
    const plan = await talk.abortPlan();
    expect(plan).toMatchObject({
      stops: ['Cross the river'],
      undoes: [
        { name: 'Load the ferry', will: 'takes back: load the ferry' },
        { name: 'Close the gate', will: 'takes back: close the gate' },
      ],
      stays: [],
    });
    const answer = await talk.abort('dora', { reason: 'storm' });
    expect(answer).toMatchObject({
      refused: false,
      said: expect.stringContaining('"Load the ferry" and "Close the gate"'),
    });
    expect(await talk.endsWith()).toBe('Aborted');
    expect(calls(estate, ...undos)).toEqual([...undos]);
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'aborted',
      failure: { type: 'Aborted', message: 'Dora has aborted the run: storm.' },
      aborted: { by: 'dora', reason: 'storm', code: plan.code, undoes: plan.undoes },
      approvals: [{ outcome: 'ended' }],
      clicks: [{ kind: 'abort', by: 'dora', counted: true, signed: 'person' }],
      leftBehind: [],
    });
    expect(estate.written.at(-1)?.notUndone).toBeUndefined();
  });

  test('is refused when what it would do has changed since it was read', async () => {
    const estate = estateWithPeople({ quorum: 1 });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    estate.before = async (name) => {
      if (name === 'endOfRecovery') await held;
    };
    const talk = await cross(estate);
    await talk.asked();
    const before = await talk.abortPlan();
    await talk.approve('ana');
    await expect.poll(() => calls(estate, 'endOfRecovery').length, { timeout: 20_000 }).toBe(1);
    const now = await talk.abortPlan();
    expect(now).toMatchObject({
      stops: ['Cross'],
      undoes: [],
      stays: [
        // Nobody knows yet whether it will have crossed: that must not be told as if it had.
        { name: 'Cross', why: 'is not finished yet, and how far it has come is not known; it was to cross' },
        {
          name: 'Load the ferry',
          why: 'not once "Cross" was begun, which is not finished yet: it may have happened',
        },
        { name: 'Close the gate' },
      ],
    });
    const stale = { by: 'ana', code: before.code, signature: signedBy('ana') };
    expect(await talk.send('abort', stale)).toMatchObject({ refused: true, said: expect.stringContaining(now.code) });
    expect(await talk.abort('ana')).toMatchObject({
      refused: false,
      said: expect.stringContaining('cannot be taken back'),
    });
    release();
    expect(await talk.endsWith()).toBe('Aborted');
    // Past the point of no return nothing before it is undone: two ferries would be on the water.
    expect(calls(estate, ...undos)).toEqual([]);
    expect(estate.written.at(-1)?.notUndone?.map(({ name }) => name)).toEqual([
      'Cross',
      'Load the ferry',
      'Close the gate',
    ]);
  });

  test.each<[string, (talk: Talk) => Promise<{ refused: boolean; said: string }>, string]>([
    ['by a stranger', (talk) => talk.abort('mallory'), 'nobody is called'],
    ['without a signature', (talk) => talk.abort('ana', { signature: undefined }), 'signed'],
    ['with a forged one', (talk) => talk.abort('ana', { signature: signedBy('ben') }), 'its key is not one of'],
    ['without a code', (talk) => talk.abort('ana', { code: '' }), 'look at it again'],
  ])('%s is refused and kept', async (_what, abort, words) => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    await talk.asked();
    expect(await abort(talk)).toMatchObject({ refused: true, said: expect.stringContaining(words) });
    expect((await talk.evidence()).clicks).toMatchObject([{ kind: 'abort', counted: false }]);
    expect((await talk.asked()).outcome).toBeUndefined();
  });

  test('by whoever has started the run needs no group', async () => {
    const estate = estateWithPeople();
    if (estate.plan.people) estate.plan.people.groups = { dba: ['ana', 'ben'], lead: ['dora'] };
    const talk = await cross(estate);
    await talk.asked();
    expect(await talk.abort('eve')).toMatchObject({ refused: true, said: expect.stringContaining('is in none of') });
    expect(await talk.abort('cem')).toMatchObject({ refused: false });
    expect(await talk.endsWith()).toBe('Aborted');
  });
});

describe('while it takes back', () => {
  /** Sends messages from within an undo, which goes on once they are answered. */
  function whileUndoing(estate: FakeEstate, send: () => Promise<unknown>): void {
    let sent: Promise<unknown> | undefined;
    estate.before = async (name) => {
      if (name !== 'removeScratch') return;
      sent ??= send();
      await sent;
    };
  }

  test('a second abort is told that it is ending, and a yes comes too late; both are in the evidence', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    const { code } = await talk.asked();
    const answers: { refused: boolean; said: string }[] = [];
    whileUndoing(estate, async () => {
      answers.push(await talk.abort('ana'));
      answers.push(await talk.send('approve', { by: 'ana', code, signature: signedBy('ana') }));
    });
    await talk.abort('dora');
    expect(await talk.endsWith()).toBe('Aborted');
    expect(answers).toEqual([
      { refused: false, said: 'The run is ending already, aborted by Dora.' },
      { refused: true, said: expect.stringContaining('the run is ending, aborted by Dora') },
    ]);
    expect(calls(estate, ...undos)).toEqual([...undos]);
    expect(estate.written.at(-1)?.clicks).toHaveLength(2);
    expect(estate.written.at(-1)?.approvals?.[0]?.clicks).toHaveLength(1);
  });

  test('after a cancel it is the same', async () => {
    const estate = estateWithPeople();
    const talk = await cross(estate);
    await talk.asked();
    let answer: unknown;
    whileUndoing(estate, async () => {
      answer = await talk.abort('ana');
    });
    await talk.run.cancel();
    expect(await talk.endsWith()).toContain('ancelled');
    expect(answer).toMatchObject({ refused: false, said: expect.stringContaining('ending already') });
    expect(estate.written.at(-1)).toMatchObject({ outcome: 'aborted' });
  });

  test('an undo that fails does not stop the others, and its facts make the run dirty', async () => {
    const estate = estateWithPeople();
    estate.before = (name) => {
      if (name === 'smoke') throw failure('SmokeFailed', 'the ferry is stuck on the sand');
    };
    const talk = await cross(estate);
    await talk.asked();
    await talk.abort('ana');
    expect(await talk.endsWith()).toBe('Aborted');
    expect(calls(estate, 'removeScratch')).toHaveLength(1);
    expect(estate.written.at(-1)).toMatchObject({
      outcome: 'aborted',
      flags: ['dirty'],
      failure: { type: 'Aborted' },
      leftBehind: ['Undo of "Load the ferry": the ferry is stuck on the sand'],
    });
  });
});

test('an abort of a step that does not notice until it is done ends the run all the same', async () => {
  const estate = estateWithPeople({ quorum: 1 });
  let talk: Talk | undefined;
  let sent: Promise<unknown> | undefined;
  estate.before = async (name) => {
    // The very last step: after it there is nothing more to be stopped.
    if (name === 'checkPages') sent ??= talk?.abort('ana');
    if (name === 'checkPages') await sent;
  };
  talk = await cross(estate);
  await talk.approve('ana');
  expect(await talk.endsWith()).toBe('Aborted');
  expect(calls(estate, 'pulsesRestored')).toHaveLength(1);
});

test('an abort while a step runs that notices nothing of it passes no point of no return afterwards', async () => {
  const estate = estateWithPeople();
  // Nobody is asked in this drill: after the step come only changes.
  delete estate.plan.people;
  let talk: Talk | undefined;
  let sent: Promise<unknown> | undefined;
  estate.before = async (name) => {
    if (name === 'checkConstraints') sent ??= talk?.abort('somebody', { signature: undefined });
    if (name === 'checkConstraints') await sent;
  };
  talk = new Talk(await rig.start(estate, 'rowing', [{}]));
  expect(await talk.endsWith()).toBe('Aborted');
  expect(await sent).toMatchObject({ refused: false });
  expect(calls(estate, ...undos, 'endOfRecovery')).toEqual([...undos]);
  expect(estate.written.at(-1)?.notUndone).toBeUndefined();
});
