import type { Evidence } from '../../evidence.ts';
import { formatCount } from '../../format.ts';
import { csvMeaning, fileWords, type LedgerTable, ledgerSentence, ledgerSource } from '../../ledger.ts';
import { code, plain, table } from './marks.ts';

export function ledgerSection({ ledger }: Evidence): string[] {
  if (ledger === undefined) return [];
  const { tables, counts = [], notes } = ledger;
  return [
    '## Lost writes',
    plain(ledgerSentence(ledger)),
    ...(tables.length === 0
      ? []
      : [table(['Table', 'Missing', 'Changed', 'New', 'Told apart by', 'Rows', 'sha256'], tables.map(rowOf))]),
    ...(counts.length === 0
      ? []
      : [
          table(
            ['Table', 'Inserted', 'Updated', 'Deleted'],
            counts.map((one) => [
              plain(one.table),
              ...[one.inserted, one.updated, one.deleted].map((count) => formatCount(count)),
            ]),
          ),
        ]),
    plain(ledgerSource(ledger)),
    ...(tables.some(({ file }) => file) ? [plain(csvMeaning)] : []),
    ...tables.flatMap(({ table: name, notes: ofTable }) =>
      ofTable.map((note) => `**Note** on ${plain(name)}: ${plain(note)}`),
    ),
    ...notes.map((note) => `**Note:** ${plain(note)}`),
  ];
}

function rowOf({ table: name, by, key = [], missing, changed, new: added, file }: LedgerTable): string[] {
  return [
    plain(name),
    formatCount(missing),
    by === 'whole rows' ? '' : formatCount(changed),
    formatCount(added),
    plain(by === 'primary key' ? `primary key (${key.join(', ')})` : by),
    file === undefined ? '' : `${plain(fileWords(file))}, ${code(file.location)}`,
    file === undefined ? '' : code(file.sha256),
  ];
}
