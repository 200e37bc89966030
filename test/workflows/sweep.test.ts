import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { LeftoverFound } from '../../activities/shapes.ts';
import type { Leftover } from '../../evidence/evidence.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

const directory: LeftoverFound = {
  host: 'db2',
  kind: 'directory',
  what: '/srv/scratch/orders-dead',
  path: '/srv/scratch/orders-dead',
  identity: '8:1234 ab12',
  bytes: 4_096,
};
const shownDirectory: Leftover = { ...directory, verdict: 'left', why: 'orders-dead ended terminated' };

function littered(): FakeEstate {
  const estate = new FakeEstate();
  estate.lying = [directory];
  estate.shown = [shownDirectory];
  return estate;
}

async function failureOf(running: Promise<unknown>): Promise<{ type: string; message: string }> {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return { type: error.cause.type ?? '', message: error.cause.message };
  }
  throw new Error('the sweep ended well');
}

const live = { mode: 'live', shownBy: 'orders-sweep-1a2b' };

test('a sweep shows what was left, by workers that can only read, and removes nothing', async () => {
  const estate = littered();
  const summary = await rig.run(estate, 'sweep', [{}], { readOnly: true });
  expect(summary).toMatchObject({ outcome: 'previewed', flags: ['dirty'] });
  expect(estate.written[0]).toMatchObject({ leftovers: [{ what: directory.what, verdict: 'left' }] });
  expect(estate.lying).toEqual([directory]);
  const removal = estate.written[0]?.steps.find((step) => step.id === 'database/remove-what-was-left-on-db2');
  expect(removal).toMatchObject({ state: 'previewed', preview: expect.stringContaining(directory.what) });
});

test('a sweep says that the front door leads to nobody, and is not clean for it', async () => {
  const estate = new FakeEstate();
  estate.pair.door = 'closed';
  expect(await rig.run(estate, 'sweep', [{}], { readOnly: true })).toMatchObject({ flags: ['door-closed'] });
  expect(estate.written[0]?.doorClosed).toMatchObject({ byHand: expect.stringContaining('set server') });
  expect(estate.pair.door).toBe('closed');
});

test('a live sweep removes what was shown, and proves it gone', async () => {
  const estate = littered();
  expect(await rig.run(estate, 'sweep', [live])).toMatchObject({ outcome: 'completed', flags: [] });
  expect(estate.lying).toEqual([]);
});

test('a live sweep leaves alone what was not shown', async () => {
  const estate = littered();
  const other = { ...directory, what: '/srv/scratch/other', path: '/srv/scratch/other', identity: '8:99 cd' };
  estate.lying.push(other);
  expect(await rig.run(estate, 'sweep', [live])).toMatchObject({ outcome: 'completed', flags: ['dirty'] });
  expect(estate.lying).toEqual([other]);
});

test('a live sweep on which another directory has taken the place of what was shown removes nothing', async () => {
  const estate = littered();
  estate.lying = [{ ...directory, identity: '8:1235 ab12' }];
  expect(await failureOf(rig.run(estate, 'sweep', [live]))).toMatchObject({ type: 'Moved' });
  expect(estate.calls).not.toContain('removeLeftovers');
});

test('a live sweep does not touch what a run uses by now', async () => {
  const estate = littered();
  estate.verdict = 'in-use';
  expect(await failureOf(rig.run(estate, 'sweep', [live]))).toMatchObject({ type: 'Moved' });
  expect(estate.calls).not.toContain('removeLeftovers');
});

test('what is gone already is no mistake', async () => {
  const estate = littered();
  estate.lying = [];
  expect(await rig.run(estate, 'sweep', [live])).toMatchObject({ outcome: 'completed' });
  expect(estate.calls).not.toContain('removeLeftovers');
});

test('a host without a worker does not keep the others from being swept', async () => {
  const estate = littered();
  estate.silent = ['db1'];
  const summary = await rig.run(estate, 'sweep', [{}]);
  expect(summary.flags).toEqual(['dirty']);
  const looked = estate.written[0]?.steps.find((step) => step.id === 'assessment/what-lies-on-db1');
  expect(looked?.found).toContain('no worker polls lifeboat.host.db1');
});

test('what does not go makes the sweep fail', async () => {
  const estate = littered();
  estate.sticky = true;
  const end = await failureOf(rig.run(estate, 'sweep', [live]));
  expect(end.type).toBe('LitterFound');
  expect(end.message).toContain(directory.what);
});

test.each([
  [{ mode: 'live' }, '"shownBy" is missing'],
  [{ shownBy: 'orders-sweep-1a2b' }, 'only for a live sweep'],
  [{ host: 'db9' }, 'has no host db9'],
])('%j is refused in words', async (input, words) => {
  const end = await failureOf(rig.run(littered(), 'sweep', [input]));
  expect(end.type).toBe('InputInvalid');
  expect(end.message).toContain(words);
});
