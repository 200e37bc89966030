import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLine } from '../../../../recovery/search/records.ts';
import { end, insert, line, remove, update } from './lines.ts';

const record = (text: string) => readLine(text)?.record;
const file = '1663/5/16384';

describe('a line of pg_waldump is read', () => {
  test('as a change of rows, whatever way the row was changed', () => {
    expect(record(remove(731, file))).toEqual({ what: 'rows', xid: 731, file, change: 'deleted', rows: 1 });
    expect(record(update(731, file))).toMatchObject({ change: 'updated' });
    expect(record(update(731, file, 'UPDATE+INIT'))).toMatchObject({ change: 'updated' });
    expect(record(insert(731, file))).toMatchObject({ change: 'inserted' });
    expect(
      record(line('Heap2', 9, `MULTI_INSERT+INIT 10 tuples flags 0x02, blkref #0: rel ${file} blk 16 FPW`)),
    ).toMatchObject({
      change: 'inserted',
      rows: 10,
    });
  });

  test('as newer releases print it', () => {
    const deletion = `DELETE xmax: 731, off: 1, infobits: [KEYS_UPDATED], flags: 0x00, blkref #0: rel ${file} blk 0`;
    expect(record(line('Heap', 731, deletion))).toMatchObject({ change: 'deleted' });
    const many = `MULTI_INSERT ntuples: 12, flags: 0x02, offsets: [1, 2], blkref #0: rel ${file} blk 1`;
    expect(record(line('Heap2', 731, many))).toMatchObject({ rows: 12 });
    const emptied = 'TRUNCATE flags: [CASCADE], nrelids: 2, relids: [16384, 16390]';
    expect(record(line('Heap', 731, emptied))).toMatchObject({ what: 'truncated', relations: [16384, 16390] });
  });

  test('where a row moved to another partition, as an update; where an insertion took back its own row, as nothing', () => {
    expect(record(remove(731, file, '0x10'))).toMatchObject({ change: 'updated' });
    expect(record(remove(731, file, '0x08'))).toBeUndefined();
  });

  test('as the end of a transaction, with all that comes with it', () => {
    const rels = ['base/5/16394', 'pg_tblspc/16400/PG_15_202209061/5/16401', 'global/1260'];
    expect(record(end(740, { rels, parts: [741, 743], touched: [16394, 16394, 16400] }))).toEqual({
      what: 'end',
      end: {
        committed: true,
        xid: 740,
        at: '2026-11-21T14:03:07.221456Z',
        parts: [741, 743],
        dropped: ['1663/5/16394', '16400/5/16401', '1664/0/1260'],
        touched: [16394, 16400],
        prepared: false,
      },
    });
    expect(record(end(0, { prepared: 736, kind: 'ABORT' }))).toMatchObject({ end: { xid: 736, committed: false } });
  });

  test('as those that run', () => {
    const text =
      'RUNNING_XACTS nextXid 751 latestCompletedXid 749 oldestRunningXid 748; 2 xacts: 750 748; 1 subxacts: 752';
    expect(record(line('Standby', 0, text))).toEqual({
      what: 'running',
      next: 751,
      oldest: 748,
      transactions: [750, 748],
    });
  });

  test('as the first half of a two-phase commit, and as a restore point, whatever they are called', () => {
    expect(
      record(line('Transaction', 741, 'PREPARE gid paid: 2026: 2026-11-21 14:03:07.221456 UTC; rels: base/5/1')),
    ).toEqual({
      what: 'prepared',
      xid: 741,
      at: '2026-11-21T14:03:07.221456Z',
    });
    expect(record(line('XLOG', 0, 'RESTORE_POINT before, desc: it'))).toEqual({
      what: 'restore-point',
      name: 'before, desc: it',
    });
  });

  test('as a new file, but not as its other forks', () => {
    expect(record(line('Storage', 741, 'CREATE base/5/16403'))).toMatchObject({
      what: 'created',
      file: '1663/5/16403',
    });
    expect(record(line('Storage', 741, 'CREATE base/5/16403_vm'))).toBeUndefined();
  });
});

test.each([
  'LOCK off 8: xid 742: flags 0x00 LOCK_ONLY , blkref #0: rel 1663/5/1249 blk 17',
  'INPLACE off 30, blkref #0: rel 1663/5/1259 blk 0',
])('what changes no row is passed over: %s', (text) => expect(record(line('Heap', 742, text))).toBeUndefined());

test('garbage is no record, and stops nothing', () => {
  const words = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => line('Heap', 7, text)),
    fc.string().map((text) => line('Transaction', 7, `COMMIT ${text}`)),
    fc.string().map((text) => `${remove(7, file).slice(0, -4)}${text}`),
  );
  fc.assert(fc.property(words, (text) => void readLine(text)));
  expect(readLine('first record is after 0/1000000, at 0/1000028, skipping over 40 bytes')).toBeUndefined();
});
