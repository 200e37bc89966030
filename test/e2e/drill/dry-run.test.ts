/** A dry run reads, and reads only: an observer compares the whole estate before and after. */
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buckets } from '../../../lab/backrest.ts';
import { catalogueOf, configurationOf, filesBelow, objectsIn, processesNaming } from '../observer.ts';
import { ended, type Scenario, start, until, useEstate } from './scenario.ts';

const scenario = useEstate({ readOnly: true });

beforeAll(async () => {
  await until('a commit after the backup is archived', async () => {
    const early = await ended(await start(scenario(), 'monthlyDrill', { mode: 'dry-run' }));
    if (early.failure !== undefined) throw new Error(early.failure.message);
    return true;
  });
});

async function estateAsItIs({ estate }: Scenario) {
  const { db1, db2 } = estate.servers;
  const bucket = join(estate.site.layout.store, 'objects', buckets.backups);
  return {
    catalogues: [
      await catalogueOf({ host: db1.socket, port: db1.port }),
      await catalogueOf({ host: db2.socket, port: db2.port }),
    ],
    configuration: [await configurationOf(db1.data), await configurationOf(db2.data)],
    // WAL goes on being archived, as it does without Lifeboat.
    backups: await objectsIn(bucket, (path) => !/\/[0-9A-F]{24}-[0-9a-f]{40}|\/[0-9A-F]{16}\//.test(path)),
    drills: [await filesBelow(db1.scratch), await filesBelow(db2.scratch)],
    ofDrills: [await processesNaming(db1.scratch), await processesNaming(db2.scratch)],
    plan: await filesBelow(estate.site.layout.plans),
  };
}

test.each([
  ['monthlyDrill', { mode: 'dry-run' }],
  ['monthlyDrill', { mode: 'dry-run', service: 'orders' }],
  ['backup', { mode: 'dry-run' }],
  ['backup', {}],
])('%s with %j previews on workers that can only read, and leaves all as it was', async (workflow, input) => {
  const before = await estateAsItIs(scenario());
  expect(before.backups).not.toEqual([]);
  const evidence = await ended(await start(scenario(), workflow, input));
  expect(evidence.failure).toBeUndefined();
  expect(evidence.outcome).toBe('previewed');
  expect(await estateAsItIs(scenario())).toEqual(before);
});
