import { compareLsn } from '../../recovery/lsn.ts';
import type { FailoverControlReads } from '../contract.ts';
import type { Found } from '../shapes.ts';
import { entriesOf, filesOf } from './compare-pulses.ts';
import { type Acknowledged, isAcknowledged } from './log.ts';

/**
 * One whose position is not known, because its connection broke just then, counts as past it when a later one does.
 *
 * @throws PulseSilent there is no log
 */
export async function pulsesPast(
  ask: Parameters<FailoverControlReads['pulsesPast']>[0],
): Promise<Found & { past: number; spanMs: number; newest?: string }> {
  const { pulse, service, timeline, lsn } = ask;
  // Over midnight the newest lies in one file, and those before it in another.
  const files = (await filesOf(pulse, service)).slice(-2);
  let within: Acknowledged | undefined;
  let past: Acknowledged[] = [];
  for await (const entry of entriesOf(files)) {
    if ('forgotten' in entry || !isAcknowledged(entry)) continue;
    if (entry.timeline !== undefined && entry.timeline !== timeline) continue;
    if (entry.lsn !== undefined && compareLsn(entry.lsn, lsn) <= 0) {
      within = entry;
      past = [];
    } else past.push(entry);
  }
  const newest = past.at(-1) ?? within;
  const spanMs =
    past.length === 0 || within === undefined || newest === undefined
      ? 0
      : Math.max(0, Date.parse(newest.at) - Date.parse(within.at));
  return {
    past: past.length,
    spanMs,
    ...(newest === undefined ? {} : { newest: newest.at }),
    found:
      past.length === 0
        ? `every acknowledged pulse lies at or before ${lsn}${newest === undefined ? '' : `, the newest of ${newest.at}`}`
        : `${past.length} acknowledged pulses lie past ${lsn}: ${spanMs} ms between the last one before it and the newest`,
    expected: 'known before anybody approves it',
  };
}
