/** The object store is away, at every moment of a run that stands on it: what passes is waited out, what does not is called what it is. */
import { beforeAll, describe, expect, test } from 'vitest';
import { backrest } from '../../../lab/backrest.ts';
import { sampled } from '../../sample.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { startWith } from './start-with.ts';
import { byDoor, byRule, type MomentName, refused, strike, type Trouble, waitingStep } from './store-moments.ts';
import { lastArchived, nothingIsLeft, observerAgrees } from './store-observer.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });

beforeAll(async () => {
  await backup(scenario());
  await until('a commit after the backup is archived', async () => {
    const { target, backup: from } = await ended(await start(scenario(), 'monthlyDrill', { mode: 'dry-run' }));
    return (target?.at ?? '') > (from?.stoppedAt ?? '~') ? true : undefined;
  });
}, 180_000);

const outages: Trouble[] = [
  refused,
  byDoor('accepts and never answers', 'silent'),
  byDoor('closes every connection', 'closing'),
  byRule('leaves requests unanswered', { path: '^/backups/', fault: { kind: 'hang' } }),
  byRule('answers 503', { path: '^/backups/', fault: { kind: 'status', status: 503 } }),
  byRule('breaks off its answers', {
    method: 'GET',
    path: '^/backups/',
    fault: { kind: 'truncate', afterBytes: 100 },
  }),
];

const blips: Trouble[] = [
  byRule('answers 503 for a while', { path: '^/backups/', count: 12, fault: { kind: 'status', status: 503 } }),
  byRule('takes its time', { path: '^/backups/', fault: { kind: 'delay', ms: 300 } }),
  byRule('breaks off two answers', {
    method: 'GET',
    path: '^/backups/',
    count: 2,
    fault: { kind: 'truncate', afterBytes: 100 },
  }),
  byRule('drops connections', { path: '^/backups/', count: 3, fault: { kind: 'drop', when: 'after' } }),
  byRule('damages two answers on their way', {
    method: 'GET',
    path: '[0-9A-F]{24}-|bundle|pg_data',
    count: 2,
    fault: { kind: 'flip', atByte: 40 },
  }),
];

const drillMoments: MomentName[] = ['the archive check', 'the restore', 'the replay'];
const at = (moments: MomentName[], troubles: Trouble[]) =>
  moments.flatMap((moment) => troubles.map((trouble) => ({ moment, name: trouble.name, trouble })));

describe('what passes within the budget', () => {
  // Longer than any outage here, also on a busy machine; short enough that a silent store is soon called away.
  const roomy = { assessment: '4m', database: '6m' };

  test.each(sampled(at(drillMoments, outages), 2, 'store outages'))(
    'in $moment: a store that $name is waited for and said to be, and the drill is proven',
    async ({ moment, trouble }) => {
      const before = await lastArchived(scenario());
      const handle = await startWith(scenario(), 'monthlyDrill', {}, roomy);
      try {
        await strike(scenario(), handle, moment, trouble);
        const [wait] = (await waitingStep(handle)).waits ?? [];
        expect(wait?.what).toBe('the backup repository');
        expect(Date.parse(wait?.givesUpAt ?? '')).toBeGreaterThan(Date.parse(wait?.since ?? ''));
      } finally {
        await trouble.end(scenario());
      }
      const evidence = await ended(handle);
      expect(evidence.failure).toBeUndefined();
      expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
      const waits = evidence.steps.flatMap((step) => step.waits ?? []);
      expect(waits.length).toBeGreaterThan(0);
      expect(waits.filter((one) => one.until === undefined)).toEqual([]);
      await observerAgrees(scenario(), evidence, before);
      await nothingIsLeft(scenario());
    },
    480_000,
  );

  test.each(sampled(at(drillMoments, blips), 1, 'store blips'))(
    'in $moment: of a store that $name the drill is proven all the same',
    async ({ moment, trouble }) => {
      const before = await lastArchived(scenario());
      const handle = await startWith(scenario(), 'monthlyDrill', {}, roomy);
      try {
        await strike(scenario(), handle, moment, trouble);
        const evidence = await ended(handle);
        expect(evidence.failure).toBeUndefined();
        expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
        await trouble.end(scenario());
        await observerAgrees(scenario(), evidence, before);
      } finally {
        await trouble.end(scenario());
      }
    },
    480_000,
  );

  test.each(sampled(at(['the backup'], [...outages.slice(0, 5), ...blips.slice(0, 2)]), 1, 'store backup'))(
    'in $moment: a store that $name delays it, and one backup is taken',
    async ({ trouble }) => {
      const before = await backupsInStore();
      const handle = await startWith(scenario(), 'backup', { mode: 'live', type: 'full' }, roomy);
      try {
        await strike(scenario(), handle, 'the backup', trouble);
        if (outages.includes(trouble)) await waitingStep(handle);
      } finally {
        await trouble.end(scenario());
      }
      expect(await ended(handle)).toMatchObject({ outcome: 'completed', leftBehind: [] });
      expect(await backupsInStore()).toBe(before + 1);
    },
    480_000,
  );
});

describe('what outlasts the budget', () => {
  test.each(sampled(at(drillMoments, outages), 1, 'store lasting'))(
    'in $moment: a store that $name for good ends the drill with ArchiveUnreachable, in one attempt',
    async ({ moment, trouble }) => {
      const [phase, budget] = moment === 'the archive check' ? ['assessment', '20s'] : ['database', '30s'];
      const handle = await startWith(scenario(), 'monthlyDrill', {}, { [phase]: budget });
      try {
        await strike(scenario(), handle, moment, trouble);
        const evidence = await ended(handle);
        expect(evidence).toMatchObject({
          outcome: 'not-proven',
          leftBehind: [],
          failure: {
            type: 'ArchiveUnreachable',
            message: expect.stringContaining('the time that the plan gives this phase'),
          },
        });
        const failed = evidence.steps.find((step) => step.id === evidence.failure?.step);
        expect(failed?.attempts ?? 1).toBe(1);
        expect(failed?.waits?.length).toBeGreaterThan(0);
        await nothingIsLeft(scenario());
      } finally {
        await trouble.end(scenario());
      }
    },
    480_000,
  );
});

/** By pgBackRest's own account. */
async function backupsInStore(): Promise<number> {
  const [info] = JSON.parse(await backrest(scenario().estate.site, 'db1', ['--output=json', 'info'])) as [
    { backup: unknown[] },
  ];
  return info.backup.length;
}
