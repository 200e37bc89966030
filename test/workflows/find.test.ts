import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { Suspect } from '../../recovery/search/suspects.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

const orders = { oid: 16384, database: 5, file: '1663/5/16384', name: 'public.orders', isTable: true };
const nothing = { rows: [], created: [], dropped: [], truncated: [], touched: [], droppedDatabases: [] };
const deletion: Suspect = {
  ...nothing,
  transaction: 4711,
  at: '2026-11-21T14:01:07.221456Z',
  before: '0/7000000',
  rows: [{ file: orders.file, deleted: 81_204, updated: 0, inserted: 0 }],
};
const drop: Suspect = {
  ...nothing,
  transaction: 4712,
  at: '2026-11-21T14:01:08.000000Z',
  before: '0/7100000',
  dropped: ['1663/5/16390'],
};
const coupons = { oid: 16390, database: 5, file: '1663/5/16390', name: 'public.coupons', isTable: true, rows: 2_040 };

function hurt(...suspects: Suspect[]): FakeEstate {
  const estate = new FakeEstate();
  estate.suspects = suspects;
  estate.live = { database: 5, relations: [orders], found: '1 relation' };
  estate.restored = () => ({ database: 5, relations: [orders, coupons], found: '2 relations' });
  return estate;
}

const live = { mode: 'live' };
const search = (estate: FakeEstate) => estate.written[0]?.search;

async function failureOf(running: Promise<unknown>): Promise<string> {
  try {
    await running;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return `${error.cause.type}: ${error.cause.message}`;
  }
  throw new Error('the search ended well');
}

test('what the live catalog can name needs no restore', async () => {
  const estate = hurt(deletion);
  expect(await rig.run(estate, 'find', [live])).toMatchObject({ outcome: 'completed', flags: [] });
  expect(search(estate)?.findings).toMatchObject([
    {
      transaction: 4711,
      effects: [{ what: 'deleted', relation: 'public.orders', rows: 81_204, namedBy: 'live catalog' }],
      target: { kind: 'lsn', lsn: '0/7000000', inclusive: false, timeline: 1 },
    },
  ]);
  expect(estate.calls).not.toContain('restoreBeside');
});

test('a dropped table is named by a throw-away restore, which is gone at the end', async () => {
  const estate = hurt(deletion, drop);
  expect(await rig.run(estate, 'find', [live])).toMatchObject({ outcome: 'completed' });
  expect(search(estate)?.findings[1]).toMatchObject({
    effects: [{ what: 'dropped', relation: 'public.coupons', rows: 2_040, namedBy: 'restored catalog' }],
  });
  expect(estate.scratchThere).toBe(false);
});

test('without room for a restore it is told by number, and why', async () => {
  const estate = hurt(drop);
  estate.before = (activity) => {
    if (activity === 'restoreBeside')
      throw ApplicationFailure.create({ type: 'DiskFull', message: 'no room', nonRetryable: true });
  };
  expect(await rig.run(estate, 'find', [live])).toMatchObject({ outcome: 'completed' });
  expect(search(estate)?.findings).toMatchObject([{ effects: [{ relation: 'file 1663/5/16390', namedBy: 'nobody' }] }]);
  expect(search(estate)?.notes.join()).toContain('DiskFull: no room');
});

test('a dry run reads and tells, by workers that can only read', async () => {
  const estate = hurt(deletion, drop);
  expect(await rig.run(estate, 'find', [{}], { readOnly: true })).toMatchObject({ outcome: 'previewed' });
  expect(search(estate)?.findings).toHaveLength(2);
  expect(search(estate)?.notes.join()).toContain('a dry run restores nothing');
});

test('a service that does not answer does not keep its archive from being searched', async () => {
  const estate = hurt(deletion);
  estate.before = (activity) => {
    if (activity === 'serviceMoment')
      throw ApplicationFailure.create({
        type: 'DatabaseUnreachable',
        message: 'refuses connections',
        nonRetryable: true,
      });
  };
  expect(await rig.run(estate, 'find', [{ ...live, names: false }])).toMatchObject({ outcome: 'completed' });
  expect(search(estate)?.findings).toMatchObject([{ effects: [{ relation: '1663/5/16384', rows: 81_204 }] }]);
});

test('without moments, the last hour that the archive has is searched', async () => {
  const estate = hurt(deletion);
  estate.repository.backups = estate.repository.backups.map((one) => ({ ...one, stoppedAt: '2026-11-20T00:00:00Z' }));
  await rig.run(estate, 'find', [live]);
  expect(search(estate)).toMatchObject({ from: '2026-11-21T13:01:48.114Z', to: '2026-11-21T14:01:48.114Z' });
});

test.each([
  [{ from: '2026-11-21T14:00:00' }, 'without an offset'],
  [{ from: '2026-11-21T14:00:00Z', to: '2026-11-21T13:00:00Z' }, 'not before'],
  [{ rows: 0 }, 'whole number'],
  [{ to: '2027-01-01T00:00:00Z' }, 'in the future'],
])('%j is refused in words', async (input, words) => {
  const said = await failureOf(rig.run(hurt(deletion), 'find', [{ ...live, ...input }]));
  expect(said).toMatch(/^InputInvalid/);
  expect(said).toContain(words);
});
