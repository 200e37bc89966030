/** What a target gives up: said before anybody approves it, and counted once nobody writes any more. */
import type { RowCount } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { formatDuration, formatNumberOf } from '../../../evidence/format.ts';
import type { Repository } from '../../../recovery/archive.ts';
import { failure } from '../../runbook/failure.ts';
import { placeOf, type Recovering, type RecoveryRun, type Servers, type Way } from './recovering.ts';
import { locate } from './way.ts';

export interface Loss {
  transactions: number;
  /** Between the target's last commit and the newest moment of the service; absent where the target holds no commit that was read. */
  timeMs?: number;
  /** Absent where the plan has no pulse. */
  pulses?: number;
}

/** By what is known of it already. @param until the newest moment of the service */
export async function noteLoss(
  run: RecoveryRun,
  { timeline }: Recovering,
  { located }: Way,
  until: string,
): Promise<Found & { loss: Loss }> {
  const { at, after, target } = located;
  const { pulse, service } = run.plan;
  const compared =
    pulse === undefined
      ? undefined
      : await run.control.comparePulses({
          ...{ pulse, service, timeline },
          // What came back is asked of the restored server later: here only what lies past the target counts.
          restored: [],
          upTo: target.lsn,
          since: at ?? new Date(Date.parse(until) - pulse.keep).toISOString(),
          momentAt: until,
        });
  const newest = after.newestAt ?? until;
  const loss: Loss = {
    transactions: after.transactions,
    ...(at === undefined ? {} : { timeMs: Math.max(0, Date.parse(newest) - Date.parse(at)) }),
    ...(compared === undefined ? {} : { pulses: compared.lost }),
  };
  return { loss, found: lossInWords(loss), expected: 'known before anybody approves it' };
}

export function lossInWords({ transactions, timeMs, pulses }: Loss): string {
  const time = timeMs === undefined ? '' : `, committed in the ${formatDuration(timeMs)} after it`;
  const acknowledged = pulses === undefined ? '' : `; ${formatNumberOf(pulses, 'acknowledged pulse write')} among them`;
  return `${formatNumberOf(transactions, 'transaction')} after the target will be gone${time}${acknowledged}`;
}

/** Exact: nobody writes any more, and all of it is archived. */
export async function countLoss(
  run: RecoveryRun,
  recovering: Recovering,
  way: Way,
  closedAt: string,
): Promise<Found & { loss: Loss; rows: RowCount[]; repository: Repository }> {
  const { primary, service } = recovering;
  const { found: _words, ...repository } = await run.host(primary.host).repository({
    backups: run.plan.backups.physical,
    segmentBytes: service.segmentBytes,
    outageWithinMs: run.patienceMs(),
  });
  const located = await locate(run, recovering, repository, way.said);
  const { lsn } = way.located.target;
  if (located.target.lsn !== lsn)
    throw failure(
      'Moved',
      `"${way.said}" was ${lsn} when this run began, and is ${located.target.lsn} now that all WAL is archived. Start again, with the position itself.`,
    );
  const { loss, found } = await noteLoss(run, recovering, { ...way, located }, closedAt);
  const { criticalTables: tables, frontDoor } = run.plan.database;
  const { tables: rows } = await run
    .host(primary.host)
    .countRows({ member: primary, database: frontDoor.database, tables });
  const how = 'after the target, on the database as it was; shown to those who approve';
  run.measure('transactions given up', loss.transactions, 'count', how);
  if (loss.pulses !== undefined)
    run.measure('acknowledged pulse writes given up', loss.pulses, 'count', `${how}; one write a second is tried`);
  if (loss.timeMs !== undefined)
    run.measure('time given up', loss.timeMs, 'ms', 'from the last commit that stays to the newest that goes');
  return {
    loss,
    rows,
    repository,
    found: `${found}; ${rowsInWords(rows)} now`,
    expected: 'all that is given up is counted',
  };
}

function rowsInWords(rows: RowCount[]): string {
  return rows.map(({ table, rows: count }) => `${table} has ${formatNumberOf(count, 'row')}`).join(', ');
}

/** Where a person may look at the restored database, in words that can be pasted. */
export async function connectionTo(run: RecoveryRun, { primary }: Servers): Promise<string> {
  const { connection } = await run
    .host(primary.host)
    .waysToLook({ scratch: placeOf(run, primary).scratch, database: run.plan.database.frontDoor.database });
  return connection;
}
