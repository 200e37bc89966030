/** The promise itself: a drill on a live service is proven, an independent observer agrees, and nothing is left. */
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readPulseLog, restoreIndependently } from './independent.ts';
import { backup, drill, until, useEstate } from './scenario.ts';

const scenario = useEstate({ load: { ordersPerSecond: 30 } });

const fingerprint = (table: string) =>
  `select count(*) as rows, sum(hash_record_extended(t.*, 0)::numeric) as fingerprint from ${table} t`;

test('a drill is proven, and an observer who restores by himself finds the same rows, content and pulses', async () => {
  const { estate } = scenario();
  const { endedAt } = await backup(scenario());
  const evidence = await until('a drill with commits after its anchor', async () => {
    const run = await drill(scenario());
    expect(run.failure).toBeUndefined();
    return run.equality && (run.target?.at ?? '') > (endedAt ?? '') ? run : undefined;
  });
  expect(evidence).toMatchObject({ outcome: 'proven', flags: [], leftBehind: [] });

  const anchor = await restoreIndependently(estate, { lsn: evidence.equality?.lsn ?? '', inclusive: false });
  for (const proof of evidence.equality?.tables ?? []) {
    const [own] = await anchor.rows(fingerprint(proof.table));
    expect({ ...own, table: proof.table }).toEqual({
      table: proof.table,
      rows: String(proof.rows),
      fingerprint: proof.fingerprint,
    });
  }
  await anchor.remove();

  const target = await restoreIndependently(estate, { lsn: evidence.target?.lsn ?? '', inclusive: true });
  const back = new Set((await target.rows('select number from lifeboat.pulse')).map((row) => Number(row.number)));
  await target.remove();
  const acknowledged = await readPulseLog(estate);
  const newest = acknowledged.filter((pulse) => back.has(pulse.number)).sort((a, b) => b.number - a.number)[0];
  const lost = Date.parse(evidence.incidentAt ?? '') - Date.parse(newest?.at ?? '');
  expect(lost).toBeGreaterThan(0);
  expect(evidence.rpo.valueMs).toBe(lost);
  expect(await readdir(estate.servers.db2.scratch)).toEqual([]);
});
