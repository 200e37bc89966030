/** The object store fails at every moment of a run that stands on it. What passes is waited out; what does not is called what it is. */
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { sampled } from '../../sample.ts';
import { readPulseLog, restoreIndependently } from '../drill/independent.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { processesNaming } from '../observer.ts';
import { startWith } from './start-with.ts';
import { byDoor, byRule, type MomentName, refused, strike, type Trouble, waitingStep } from './store-moments.ts';

const scenario = useEstate({ load: { ordersPerSecond: 10 } });

/** Budgets that a test can wait for, and that are longer than any outage that is meant to pass. */
const roomy = { assessment: '3m', database: '4m' };

beforeAll(async () => {
  await backup(scenario());
  await until('a commit after the backup is archived', async () => {
    const evidence = await ended(await start(scenario(), 'monthlyDrill', { mode: 'dry-run' }));
    return (evidence.target?.at ?? '') > (evidence.backup?.stoppedAt ?? '~') ? true : undefined;
  });
}, 120_000);

const outages: Trouble[] = [
  refused,
  byDoor('accepts and never answers', 'silent'),
  byDoor('closes every connection', 'closing'),
  byRule('answers nothing', { fault: { kind: 'hang' } }),
  byRule('answers 503', { fault: { kind: 'status', status: 503 } }),
  byRule('breaks off its answers', { method: 'GET', fault: { kind: 'truncate', afterBytes: 100 } }),
];
const drillMoments: MomentName[] = ['the archive check', 'the restore', 'the replay'];
const every = <T extends object>(of: T[], at: MomentName[]) =>
  at.flatMap((moment) => of.map((one) => ({ ...one, moment })));

describe('an outage within the budget', () => {
  test.each(sampled(every(outages, drillMoments), 3, 'store outages'))(
    'in $moment: a store that $name is waited for, said early, and the drill is proven',
    async ({ moment, ...trouble }) => {
      const handle = await startWith(scenario(), 'monthlyDrill', {}, roomy);
      try {
        await strike(scenario(), handle, moment, trouble);
        const step = await waitingStep(handle);
        expect(step.waits?.[0]?.what).toBe('the backup repository');
        expect(Date.parse(step.waits?.[0]?.givesUpAt ?? '')).toBeGreaterThan(Date.now());
      } finally {
        await trouble.end(scenario());
      }
      const evidence = await ended(handle);
      expect(evidence.failure).toBeUndefined();
      expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
      expect(evidence.steps.some(({ waits }) => waits?.every((one) => one.until !== undefined))).toBe(true);
      await observerAgrees(evidence);
    },
    300_000,
  );
});

/** A restore of the observer's own, to where the drill says that it went, holds the pulses that the drill counted. */
async function observerAgrees(evidence: Awaited<ReturnType<typeof ended>>): Promise<void> {
  const { estate } = scenario();
  const target = await restoreIndependently(estate, { lsn: evidence.target?.lsn ?? '', inclusive: true });
  const back = new Set((await target.rows('select number from lifeboat.pulse')).map((row) => Number(row.number)));
  await target.remove();
  const newest = (await readPulseLog(estate))
    .filter((one) => back.has(one.number))
    .sort((a, b) => b.number - a.number)[0];
  expect(evidence.rpo.valueMs).toBe(Date.parse(evidence.incidentAt ?? '') - Date.parse(newest?.at ?? ''));
  expect(await readdir(estate.servers.db2.scratch)).toEqual([]);
  expect(await processesNaming(`${estate.servers.db2.scratch}/`)).toEqual([]);
}
