/** The recovered database in its place, before anybody is let in. */
import type { Found } from '../../../activities/shapes.ts';
import type { Phase } from '../../../evidence/evidence.ts';
import type { Anchor } from '../../../recovery/archive.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { RecoveryRun, Restoring } from './recovering.ts';
import type { Replaced } from './replace.ts';
import { newRoles } from './standbys.ts';

const lockWithinMs = 5_000;
const lockAttempts = 3;
const pausedWithinMs = 120_000;

/** @param phase that says why it was not tried */
export async function applicationWorks(
  run: RecoveryRun,
  { primary }: Restoring,
  phase: Phase = 'application',
): Promise<void> {
  const { application, database } = run.plan;
  if (!application.smoke.live) {
    run.notePhase(phase, 'the plan does not let its test write to the live database (application.smoke.live)');
    return;
  }
  await run.prove('The application works on the recovered database', () =>
    run.host(primary.host).smokeLive({ member: primary, database: database.frontDoor.database, application }),
  );
}

export async function validateRecovered(run: RecoveryRun, recovering: Restoring, replaced: Replaced): Promise<void> {
  const { primary, standbys } = recovering;
  const { assertions, frontDoor } = run.plan.database;
  await run.prove('The assertions of the plan hold on the recovered database', () =>
    run.host(primary.host).assertionsLive({ member: primary, database: frontDoor.database, assertions }),
  );
  const taken = await run.change('Take an anchor on the recovered primary', takeAnchor(run, recovering));
  if (standbys.length > 0)
    await run.prove('Every standby holds the same rows', () => sameOnStandbys(run, recovering, taken.anchor));
  await run.prove('Every member has its role again', () => newRoles(run, recovering, replaced));
}

type Taken = Found & { anchor?: Anchor };

/** Nobody writes: the lock keeps nobody waiting, and the tables stay as they are for those who compare with it. */
function takeAnchor(run: RecoveryRun, { primary }: Restoring): Change<Taken> {
  const { database, evidence, service } = run.plan;
  return {
    preview: async () => ({
      will: `fingerprint ${database.criticalTables.join(', ')} on ${primary.host} at one LSN of the new timeline`,
      yields: { found: 'nothing was taken' },
    }),
    apply: async () => {
      const taken = await run.host(primary.host, lockAttempts).anchorUnderLock({
        ...{ member: primary, lockWithinMs },
        database: database.frontDoor.database,
        tables: database.criticalTables,
      });
      await run.control.saveAnchor({
        store: evidence,
        service,
        anchor: taken.anchor,
        outageWithinMs: run.patienceMs(),
      });
      return taken;
    },
    undo: { pointOfNoReturn: 'An anchor is only a note; it stays.' },
    passOver: { types: ['TablesBusy'], yields: { found: 'nothing was taken' } },
    skip: { yields: { found: 'nothing was taken' } },
  };
}

async function sameOnStandbys(run: RecoveryRun, { standbys, primary }: Restoring, anchor: Anchor | undefined) {
  if (anchor === undefined) return { found: 'not compared: there is no anchor to compare with' };
  const { frontDoor, criticalTables: tables } = run.plan.database;
  const words: string[] = [];
  for (const member of standbys) {
    const ask = { member, database: frontDoor.database, tables, withinMs: pausedWithinMs };
    const { anchor: seen } = await run.host(member.host).anchorOnStandby(ask);
    const different = anchor.tables.filter(
      ({ table, rows, fingerprint }) =>
        !seen.tables.some((one) => one.table === table && one.rows === rows && one.fingerprint === fingerprint),
    );
    if (different.length > 0 || seen.timeline !== anchor.timeline)
      throw failure(
        'NotEqual',
        `${member.host}, on timeline ${seen.timeline}, is no copy of ${primary.host}, on timeline ${anchor.timeline}${different.length === 0 ? '' : `: ${different.map(({ table }) => table).join(', ')} differ`}, and nobody writes. Do not let it serve: rebuild it.`,
      );
    words.push(`${member.host} at ${seen.lsn}`);
  }
  return {
    found: `${words.join(', ')}: the same as ${primary.host}`,
    expected: 'the content of the recovered primary, on its timeline',
  };
}
