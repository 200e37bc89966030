/** Reading the WAL, and telling what was found. */
import type { WalSearched } from '../../../activities/shapes.ts';
import { findingSentence } from '../../../evidence/search.ts';
import { findingsOf, type Names } from '../../../recovery/search/naming.ts';
import type { FindInput } from '../../messages.ts';
import type { Run } from '../../runbook/run.ts';
import type { Around, Window } from './window.ts';

const usual = { rows: 1_000, limit: 20 };

export async function searchedWal(run: Run<FindInput>, around: Around, window: Window): Promise<WalSearched> {
  const { scratch, repository, serverVersion } = around;
  const searched = await run.check('The WAL is read', () =>
    run.host(scratch.host).searchWal({
      backups: run.plan.backups.physical,
      scratch,
      segments: window.segments,
      known: {
        segmentBytes: repository.segmentBytes,
        systemIdentifier: repository.systemIdentifier,
        timelines: repository.timelines.map((info) => ({ ...info, ranges: [] })),
      },
      serverVersion,
      from: window.from,
      to: window.to,
      leastRows: run.input.rows ?? usual.rows,
      outageWithinMs: run.patienceMs(),
    }),
  );
  run.measure('segments read', searched.read, 'segments', 'fetched from the archive, and read by pg_waldump');
  run.measure('reading', searched.tookMs, 'ms', 'from the first segment that was fetched to the last record');
  return searched;
}

interface Told {
  window: Window;
  searched: WalSearched;
  names: Names;
  /** The table that was asked for, as PostgreSQL writes its name. */
  table: string | undefined;
  notes: string[];
}

/** Into the evidence: the heaviest first, or in the order of time. */
export async function tell(run: Run<FindInput>, around: Around, told: Told): Promise<void> {
  const { window, searched, names, table, notes } = told;
  const { order = 'weight', limit = usual.limit, rows: leastRows = usual.rows } = run.input;
  const choice = { leastRows, order, limit, ...(table === undefined ? {} : { table }) };
  await run.check('What looks like a disaster is told', async () => {
    const { findings, more } = findingsOf(searched.suspects, names, choice, around.repository, around.timeline);
    const leftOut =
      searched.leftOut === 0 ? [] : [`${searched.leftOut} more transactions, lighter than those, were passed over`];
    run.record({
      search: {
        from: window.from,
        to: window.to,
        timeline: around.timeline,
        segments: {
          first: window.segments[0]?.first ?? '',
          last: window.segments.at(-1)?.last ?? '',
          read: searched.read,
        },
        transactions: searched.transactions,
        leastRows,
        ...(table === undefined ? {} : { table }),
        order,
        findings,
        more,
        notes: [...window.notes, ...notes, ...leftOut],
      },
    });
    const [first] = findings;
    const rest = findings.length > 1 ? `, and ${findings.length - 1} more` : '';
    return {
      found: first === undefined ? 'nothing that looks like a disaster' : `${findingSentence(first)}${rest}`,
      expected: `transactions that deleted or updated ${leastRows} rows of a table or more, dropped or emptied one`,
    };
  });
}
