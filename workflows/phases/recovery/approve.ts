/** People look at the restored database, move its target as often as they like, and say whether it replaces the live one. */
import type { Subject } from '../../../evidence/people.ts';
import { connectionTo, measureLoss, noteLoss } from './loss.ts';
import type { Quiet } from './quiesce.ts';
import { membersOf, placeOf, type RecoveryRun } from './recovering.ts';
import { moveAll, type Reached, type Rooms, restoreAll, roomOnEach } from './restore.ts';
import { liesAhead, onFrom, recordWay, wayElsewhere } from './way.ts';

export const replaceApproval = 'Replace the production database';

const alternatives = {
  'move-target': {
    label:
      'Move the target (a moment with its offset, 0/59E1A40, transaction 4711, name N; "before" for just before it)',
    wants: 'text',
  },
} as const;

interface Asked {
  quiet: Quiet;
  reached: Reached;
  /** Why the last wish was not fulfilled. */
  note?: string;
}

/** @returns where the restored servers stand that people have approved */
export async function approved(run: RecoveryRun, quiet: Quiet, reached: Reached, rooms: Rooms): Promise<Reached> {
  let asked: Asked = { quiet, reached };
  for (let round = 2; ; round += 1) {
    const { choice, value = '' } = await run.approval(replaceApproval, () => factsToApprove(run, asked), alternatives);
    if (choice === 'approve') return asked.reached;
    asked = await moved(run, asked, rooms, { said: value, round });
  }
}

/** A wish that cannot be fulfilled ends nothing: people are asked again, and told why. */
async function moved(
  run: RecoveryRun,
  { quiet, reached }: Asked,
  rooms: Rooms,
  wish: { said: string; round: number },
): Promise<Asked> {
  const { recovering } = quiet;
  const { round } = wish;
  const way = await wayElsewhere(run, recovering, { ...wish, wholeUntil: quiet.closedAt });
  if ('why' in way) return { quiet, reached, note: `"${wish.said}": ${way.why}` };
  const { loss } = await run.check(`What the target loses is counted (${round})`, () =>
    noteLoss(run, recovering, way, { until: quiet.closedAt, archivedWhole: true }),
  );
  measureLoss(run, loss);
  const counted = { ...quiet, loss };
  if (liesAhead(reached.way.located.target, way.located.target)) {
    const on = onFrom(reached.way, way, recovering.repository);
    recordWay(run, on);
    return { quiet: counted, reached: await moveAll(run, recovering, on, rooms, round) };
  }
  recordWay(run, way);
  const anew = await roomOnEach(run, recovering, way, round);
  // What would be made anew after a reset begins with this restore from now on.
  run.forgetWhatStands();
  return { quiet: counted, reached: await restoreAll(run, recovering, way, { ...rooms, ...anew }, round) };
}

/** A yes is bound to what replaces what, and to what that gives up. Asked of the servers themselves, each time. */
async function factsToApprove(
  run: RecoveryRun,
  { quiet, reached, note }: Asked,
): Promise<{ subject: Subject; shown: Subject }> {
  const { recovering, loss, rows } = quiet;
  const { way, tables } = reached;
  const { primary, standbys, service } = recovering;
  const { unlogged = [] } = service;
  const { scratch } = placeOf(run, primary);
  const { lsn, timeline } = await run.host(primary.host).endOfRecovery({ scratch });
  const now = (table: string) => rows.find((one) => one.table === table)?.rows ?? 'unknown';
  return {
    subject: {
      target: `${way.said}, which is ${way.located.target.lsn}`,
      'restored up to': `${lsn} on timeline ${timeline}${way.located.at === undefined ? '' : `, committed ${way.located.at}`}`,
      backup: way.backup.label,
      ...loss?.facts,
      ...Object.fromEntries(
        tables.map(({ table, rows: count }) => [`rows of ${table}`, `${now(table)} now, ${count} after`]),
      ),
      ...(unlogged.length === 0 ? {} : { 'unlogged tables, which come back empty': unlogged.join(', ') }),
      replaced: membersOf(recovering)
        .map(({ host, dataDirectory }) => `${dataDirectory} on ${host}`)
        .join(', '),
    },
    shown: {
      ...(note === undefined ? {} : { 'the target was not moved': note }),
      'see for yourself': `on ${primary.host}: ${await connectionTo(run, recovering)}`,
      'kept aside': placeOf(run, primary).setAside,
      'can be undone':
        'until the front door is opened again; once the recovered primary has been started, the old database comes back on a new timeline',
      'what happens next': `${[primary, ...standbys].map(({ host }) => host).join(' and ')} are stopped, their data directories set aside, the restored ones put in place; then the front door opens again`,
    },
  };
}
