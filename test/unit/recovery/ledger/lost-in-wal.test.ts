import { expect, test } from 'vitest';
import { LostInWal } from '../../../../recovery/ledger/lost-in-wal.ts';
import type { TransactionEnd, WalRecord } from '../../../../recovery/search/records.ts';

const rows = (
  xid: number,
  change: 'inserted' | 'updated' | 'deleted',
  file = '1663/5/16400',
  count = 1,
): WalRecord => ({
  what: 'rows',
  ...{ xid, file, change, rows: count },
});
const end = (xid: number, more: Partial<TransactionEnd> = {}): WalRecord => ({
  what: 'end',
  end: {
    xid,
    committed: true,
    at: '2026-11-21T14:00:00Z',
    parts: [],
    dropped: [],
    touched: [],
    prepared: false,
    ...more,
  },
});

function read(records: [WalRecord, string][]): LostInWal {
  const lost = new LostInWal('0/A000000');
  for (const [record, lsn] of records) lost.add(record, lsn);
  return lost;
}

test('what commits after the target is counted, also when it had begun before', () => {
  const lost = read([
    [rows(7, 'inserted', '1663/5/16400', 3), '0/9FFFF00'],
    [rows(8, 'deleted'), '0/9FFFF20'],
    [end(8), '0/9FFFFF0'],
    [rows(7, 'updated', '1663/5/16410'), '0/A000100'],
    [end(7), '0/A000000'],
    [rows(9, 'updated'), '0/A000200'],
    [end(9), '0/A000300'],
  ]);
  expect(lost.transactions).toBe(2);
  expect(lost.counts).toEqual([
    { file: '1663/5/16400', inserted: 3, updated: 1, deleted: 0 },
    { file: '1663/5/16410', inserted: 0, updated: 1, deleted: 0 },
  ]);
});

test('what was rolled back is not lost, and parts of a transaction count with it', () => {
  const lost = read([
    [rows(7, 'inserted'), '0/A000100'],
    [end(7, { committed: false }), '0/A000110'],
    [rows(11, 'inserted'), '0/A000200'],
    [end(10, { parts: [11], dropped: ['1663/5/16500', '1663/5/1259'] }), '0/A000210'],
  ]);
  expect(lost).toMatchObject({ transactions: 1, filesGone: 1 });
  expect(lost.counts).toEqual([{ file: '1663/5/16400', inserted: 1, updated: 0, deleted: 0 }]);
});

test("the catalog's own rows are of no interest", () => {
  expect(
    read([
      [rows(7, 'inserted', '1663/5/1259'), '0/A000100'],
      [end(7), '0/A000110'],
    ]).counts,
  ).toEqual([]);
});
