/** Reads archived WAL for the transactions that look like a disaster. */
import { formatClock, formatCount, formatNumberOf } from '../../evidence/format.ts';
import { Tally } from '../../recovery/search/tally.ts';
import type { HostReads } from '../contract.ts';
import type { WalSearched } from '../shapes.ts';
import { readArchived } from './read-archived.ts';

/** Times of commits are not in their order: one that took its time first may commit last. */
const timesMayDifferMs = 5_000;

/**
 * Everything that was committed between two moments, counted; memory and room stay the same however much WAL that is.
 *
 * @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnsound a segment is of another cluster or branch @throws ArchiveUnreachable
 */
export async function searchWal(ask: Parameters<HostReads['searchWal']>[0]): Promise<WalSearched> {
  const toMs = Date.parse(ask.to);
  const tally = new Tally({ fromMs: Date.parse(ask.from), toMs, leastRows: ask.leastRows });
  const started = performance.now();
  const { read } = await readArchived(ask, {
    onRecord: ({ record, lsn }) => {
      if (record === undefined) return;
      tally.add(record, lsn);
      if (record.what === 'end' && Date.parse(record.end.at) > toMs + timesMayDifferMs) return false;
    },
    words: (read, of) => progressWords(read, of, tally),
  });
  const { suspects, leftOut } = tally.result;
  return {
    suspects,
    leftOut,
    read,
    transactions: tally.commits,
    tookMs: Math.round(performance.now() - started),
    ...(tally.last === undefined ? {} : { upTo: tally.last }),
    found: `${formatNumberOf(read, 'segment')} read, ${formatNumberOf(tally.commits, 'transaction')} committed in that time; ${formatCount(suspects.length)} of them are looked at closer`,
    expected: 'all WAL of that time',
  };
}

/** `segment 37 of 120, 14:02:11Z, 3 findings` */
function progressWords(read: number, of: number, { last, findings }: Tally): string {
  const at = last === undefined ? '' : `, ${formatClock(last)}Z`;
  return `segment ${read} of ${of}${at}, ${formatNumberOf(findings, 'finding')}`;
}
