/** Proofs of a restored server: against its anchor, against the pulse, against itself. */
import type { EndOfRecovery, Found } from '../../activities/shapes.ts';
import type { TableProof } from '../../evidence/evidence.ts';
import { dataLost } from '../../evidence/outcome.ts';
import type { Anchor, RecoveryTarget, TableFingerprint } from '../../recovery/archive.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';
import type { Beside } from './restore-beside.ts';

/** The critical tables, row for row, against the last anchor before the target. */
export function equalsAnchor(
  run: Run,
  { scratch, database }: Beside,
  anchor: Anchor,
  name = 'The critical tables equal their anchor',
): Promise<Found | undefined> {
  return run.prove(name, async () => {
    const names = anchor.tables.map((one) => one.table);
    const { tables } = await run.host(scratch.host).fingerprints({ scratch, database, tables: names });
    return compareTables(
      run,
      anchor,
      tables,
      'The backup or the archive does not give back what was there: do not rely on it.',
    );
  });
}

/**
 * The tables at the anchor's position against the anchor; notes what was compared.
 *
 * @param otherwise what follows from a difference
 * @throws NotEqual
 */
export function compareTables(run: Run, anchor: Anchor, tables: TableFingerprint[], otherwise: string): Found {
  const proofs = anchor.tables.map((expected) =>
    compare(
      expected,
      tables.find((one) => one.table === expected.table),
    ),
  );
  run.record({
    equality: { lsn: anchor.lsn, timeline: anchor.timeline, at: anchor.at, source: anchor.source, tables: proofs },
  });
  const different = proofs.filter((one) => !one.equal);
  if (different.length > 0)
    throw failure('NotEqual', `${different.map(say).join('; ')} at ${anchor.lsn}. ${otherwise}`);
  return {
    found: `${proofs.map((one) => one.table).join(', ')} equal the ${anchor.source.split(',')[0]} at ${anchor.lsn}`,
    expected: `the fingerprints taken at ${anchor.at}`,
  };
}

function compare(expected: TableFingerprint, found: TableFingerprint | undefined): TableProof {
  return {
    table: expected.table,
    rows: found?.rows ?? 0,
    fingerprint: found?.fingerprint ?? 'absent',
    expectedRows: expected.rows,
    equal: found !== undefined && found.rows === expected.rows && found.fingerprint === expected.fingerprint,
  };
}

function say(proof: TableProof): string {
  return `${proof.table} has ${proof.rows} rows, expected ${proof.expectedRows}${proof.rows === proof.expectedRows ? ', with other content' : ''}`;
}

/** Read from the server, not from an exit code. */
export function endedAtTarget(
  run: Run,
  { scratch }: Beside,
  target: RecoveryTarget,
  name = 'Recovery ended where it should',
): Promise<EndOfRecovery | undefined> {
  return run.prove(name, async () => {
    const end = await run.host(scratch.host).endOfRecovery({ scratch });
    if (target.kind === 'lsn' && compareLsn(end.lsn, target.lsn) < 0)
      throw failure(
        'ReplayFailed',
        `the server stands at ${end.lsn}, before the target ${target.lsn}. See the server's log.`,
      );
    if (
      target.kind === 'time' &&
      end.lastCommitAt !== undefined &&
      Date.parse(end.lastCommitAt) > Date.parse(target.at)
    )
      throw failure(
        'ReplayFailed',
        `the server holds a commit of ${end.lastCommitAt}, after the target ${target.at}: the backup ended after it, though its stamp says otherwise, or the database's clock was set meanwhile. Recover from an older backup.`,
      );
    if (end.timeline !== target.timeline)
      throw failure('ReplayFailed', `the server stands on timeline ${end.timeline}, expected ${target.timeline}.`);
    return end;
  });
}

/** Every acknowledged pulse up to where recovery ended came back; what lies past it is the loss. */
export function allPulses(
  run: Run,
  { scratch, database, service, ancestors }: Beside,
  reached: EndOfRecovery | undefined,
  name = 'All acknowledged pulses up to the target are there',
): Promise<unknown> {
  return run.prove(name, async () => {
    const { pulse } = run.plan;
    const chosen = run.evidence.target?.chosenBy === 'person';
    if (pulse === undefined || reached === undefined) {
      run.record({ rpo: dataLost({ momentAt: service.at, chosen, objectiveMs: run.evidence.objectives.rpoMs }) });
      return { found: 'the plan has no pulse: loss is not measured by it' };
    }
    const { intervals } = await run.host(scratch.host).pulsesRestored({ scratch, database });
    const since = new Date(Date.parse(service.at) - pulse.keep).toISOString();
    const compared = await run.control.comparePulses({
      pulse,
      service: run.plan.service,
      restored: intervals,
      upTo: reached.lsn,
      since,
      momentAt: service.at,
      ...(service.lsn === undefined ? {} : { momentLsn: service.lsn }),
      timeline: service.timeline,
      ancestors,
    });
    run.measure(
      'pulse writes',
      compared.acknowledged,
      'count',
      `acknowledged since ${since}, one a second, with an LSN up to ${reached.lsn}`,
    );
    run.record({
      rpo: dataLost({
        momentAt: service.at,
        chosen,
        newest: compared.newest,
        lost: compared.lost,
        setBackMs: compared.setBackMs,
        objectiveMs: run.evidence.objectives.rpoMs,
      }),
    });
    if (compared.missing > 0)
      throw failure(
        'PulsesMissing',
        `${compared.missing} of ${compared.acknowledged} acknowledged pulse writes up to ${reached.lsn} are not in the restored database (numbers ${compared.examples.join(', ')}); expected none missing.`,
      );
    return compared;
  });
}

/** The plan's statements about the data. */
export function assertions(run: Run, { scratch, database }: Beside, name: string): Promise<unknown> {
  return run.prove(name, () =>
    run.host(scratch.host).runAssertions({ scratch, database, assertions: run.plan.database.assertions }),
  );
}

/**
 * Everything that a promoted server is asked, side by side: pulses, indexes against their tables, constraints by the server's own code,
 * assertions. Last the checksum of every page, which stops the server.
 */
export async function validate(run: Run, beside: Beside, reached: EndOfRecovery | undefined): Promise<void> {
  const { scratch, database } = beside;
  const host = run.host(scratch.host);
  await allEnded(
    allPulses(run, beside, reached),
    run.prove('Indexes agree with their tables', () => host.checkIndexes({ scratch, database })),
    run.prove('Constraints hold for every row', () => host.checkConstraints({ scratch, database })),
    assertions(run, beside, 'The assertions of the plan hold'),
  );
  await run.prove('Page checksums are right', () => host.checkPages({ scratch }));
}

/** Each goes on when another fails: where one damage was found, people want to know of all of it. The first is what the run fails with. */
async function allEnded(...proofs: Promise<unknown>[]): Promise<void> {
  for (const ended of await Promise.allSettled(proofs)) if (ended.status === 'rejected') throw ended.reason;
}
