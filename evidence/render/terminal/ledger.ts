import type { Evidence } from '../../evidence.ts';
import { countsSentence, ledgerSentence, tableSentence } from '../../ledger.ts';
import { oneLine } from '../text.ts';

/** Counts, and where the rows lie. */
export function ledgerBlock({ ledger }: Evidence): string[] {
  if (ledger === undefined) return [];
  return [
    `Lost writes: ${oneLine(ledgerSentence(ledger))}`,
    ...ledger.tables.flatMap((table) => [
      `  ${oneLine(tableSentence(table))}`,
      ...(table.file === undefined ? [] : [`      ${oneLine(table.file.location)}`]),
      ...table.notes.map((note) => `      ${oneLine(note)}`),
    ]),
    ...(ledger.counts ?? []).map((one) => `  ${oneLine(countsSentence(one))}`),
    ...ledger.notes.map((note) => `Note: ${oneLine(note)}`),
  ];
}
