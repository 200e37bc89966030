import pMap from 'p-map';
import type { Outcome } from '../../evidence/evidence.ts';
import { type EarlierRun, earlierRun } from '../../evidence/forecast.ts';
import { formatNumberOf } from '../../evidence/format.ts';
import type { ControlReads } from '../contract.ts';
import type { Found } from '../shapes.ts';
import { listRuns, readEvidence } from './store.ts';

const most = 5;
/** Among so many of the newest: a series of failures must not make the store read for minutes. */
const lookedAt = 25;
const concurrency = 3;

/** Of a run that ended early, or badly, nobody knows how long it would have taken. */
const wentWell: readonly Outcome[] = ['recovered', 'proven', 'completed'];

/**
 * What the last runs of a runbook took, for the forecast of the next one. Evidence that cannot be read is left out.
 *
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function earlierRuns(
  ask: Parameters<ControlReads['earlierRuns']>[0],
): Promise<Found & { runs: EarlierRun[] }> {
  const { store, service, runbook, mode } = ask;
  const listed = await listRuns(store, service, { kind: { runbook, mode }, limit: lookedAt });
  const good = listed.filter(({ outcome }) => wentWell.includes(outcome)).slice(0, most);
  const read = await pMap(good, ({ run }) => readEvidence(store, service, run).catch(() => undefined), { concurrency });
  const runs = read.filter((one) => one !== undefined).map(earlierRun);
  return { runs, found: `${formatNumberOf(runs.length, 'earlier run')} to go by` };
}
