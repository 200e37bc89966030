/** What an observer of his own says of a drill that met a store in trouble. */
import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { readPulseLog, restoreIndependently } from '../drill/independent.ts';
import { type Scenario, until } from '../drill/scenario.ts';
import { ask, processesNaming } from '../observer.ts';

/** The newest segment that the primary has archived, by its own word. */
export async function lastArchived({ estate }: Scenario): Promise<string> {
  const { socket, port } = estate.servers.db1;
  const [row] = await ask<{ name: string }>(
    { host: socket, port },
    'select left(last_archived_wal, 24) as name from pg_stat_archiver',
  );
  return row?.name ?? '';
}

/**
 * The end of the WAL was not where the store failed: a restore of the observer's own, to where the drill says that it went, holds
 * the pulses that the drill has counted, and that place lies no earlier than what was archived before the drill.
 */
export async function observerAgrees(scenario: Scenario, evidence: Evidence, archivedBefore: string): Promise<void> {
  const { estate } = scenario;
  const { lsn = '' } = evidence.target ?? {};
  const { socket, port } = estate.servers.db1;
  const [reached] = await ask<{ name: string }>({ host: socket, port }, `select pg_walfile_name('${lsn}') as name`);
  expect((reached?.name ?? '') >= archivedBefore).toBe(true);

  const target = await restoreIndependently(estate, { lsn, inclusive: true });
  const back = new Set((await target.rows('select number from lifeboat.pulse')).map((row) => Number(row.number)));
  await target.remove();
  const pulses = (await readPulseLog(estate)).filter((one) => back.has(one.number));
  const newest = pulses.sort((a, b) => b.number - a.number)[0];
  expect(evidence.rpo.valueMs).toBe(Date.parse(evidence.incidentAt ?? '') - Date.parse(newest?.at ?? ''));
}

/** On the drill host nothing is left; the service goes on taking writes. */
export async function nothingIsLeft(scenario: Scenario): Promise<void> {
  const { scratch } = scenario.estate.servers.db2;
  expect(await readdir(scratch)).toEqual([]);
  expect(await processesNaming(`${scratch}/`)).toEqual([]);
  const before = (await readPulseLog(scenario.estate)).at(-1)?.number ?? 0;
  await until('another write is acknowledged', async () =>
    ((await readPulseLog(scenario.estate)).at(-1)?.number ?? 0) > before ? true : undefined,
  );
}
