/** What a target gives up: said before anybody approves it, and counted once nobody writes any more. */
import type { RowCount } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { type ChosenLoss, chosenLoss } from '../../../evidence/chosen-loss.ts';
import { formatNumberOf } from '../../../evidence/format.ts';
import type { Repository } from '../../../recovery/archive.ts';
import { failure } from '../../runbook/failure.ts';
import { placeOf, type Recovering, type RecoveryRun, type Way } from './recovering.ts';
import { locate } from './way.ts';

export type Loss = ChosenLoss;

/** By what the archive holds by now. @param until the newest moment of the service @param archivedWhole all up to it is in the archive */
export async function noteLoss(
  run: RecoveryRun,
  { timeline }: Recovering,
  { located }: Way,
  { until, archivedWhole }: { until: string; archivedWhole: boolean },
): Promise<Found & { loss: Loss }> {
  const { at, target } = located;
  const { pulse, service } = run.plan;
  const pulses =
    pulse &&
    (await run.control.comparePulses({
      ...{ pulse, service, timeline },
      // What came back is asked of the restored server later: here only what lies past the target counts.
      restored: [],
      upTo: target.lsn,
      since: at ?? new Date(Date.parse(until) - pulse.keep).toISOString(),
      momentAt: until,
    }));
  const loss = chosenLoss({ located, moment: { at: until }, archivedWhole, ...(pulses && { pulses }) });
  return { loss, found: loss.sentence, expected: 'known before anybody approves it' };
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
  const located = await locate(run, { ...recovering, repository }, way.said, closedAt);
  const { lsn } = way.located.target;
  if (located.target.lsn !== lsn)
    throw failure(
      'Moved',
      `"${way.said}" was ${lsn} when this run began, and is ${located.target.lsn} now that all WAL is archived. Start again, with the position itself.`,
    );
  const { loss, found } = await noteLoss(
    run,
    recovering,
    { ...way, located },
    { until: closedAt, archivedWhole: true },
  );
  const { criticalTables: tables, frontDoor } = run.plan.database;
  const { tables: rows } = await run
    .host(primary.host)
    .countRows({ member: primary, database: frontDoor.database, tables });
  measureLoss(run, loss);
  return {
    loss,
    rows,
    repository,
    found: `${found} ${rowsInWords(rows)} now`,
    expected: 'all that is given up is counted',
  };
}

/** Loss that people accept: reported as such, apart from loss that surprises them. */
export function measureLoss(run: RecoveryRun, { transactions, pulses, ms, atLeast }: Loss): void {
  const how = `${atLeast ? 'at least; ' : ''}after the target, in the database as it was: given up by those who approved the target`;
  run.measure('transactions given up', transactions, 'count', how);
  if (pulses !== undefined)
    run.measure('acknowledged pulse writes given up', pulses, 'count', `${how}; one write a second is tried`);
  if (ms !== undefined)
    run.measure('time given up', ms, 'ms', 'from the last commit that stays until nobody wrote any more');
}

function rowsInWords(rows: RowCount[]): string {
  return rows.map(({ table, rows: count }) => `${table} has ${formatNumberOf(count, 'row')}`).join(', ');
}

/** Where a person may look at the restored database, in words that can be pasted. */
export async function connectionTo(run: RecoveryRun, { primary }: Recovering): Promise<string> {
  const { connection } = await run
    .host(primary.host)
    .waysToLook({ scratch: placeOf(run, primary).scratch, database: run.plan.database.frontDoor.database });
  return connection;
}
