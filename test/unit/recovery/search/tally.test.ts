import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLine } from '../../../../recovery/search/records.ts';
import type { Suspect } from '../../../../recovery/search/suspects.ts';
import { precedes, Tally } from '../../../../recovery/search/tally.ts';
import { end, insert, line, remove, update } from './lines.ts';

const orders = '1663/5/16384';
const whole = { fromMs: 0, toMs: Date.parse('2100-01-01T00:00:00Z') };

function tallied(lines: string[], search = { ...whole, leastRows: 2 }): Tally {
  const tally = new Tally(search);
  for (const text of lines) {
    const read = readLine(text);
    if (read?.record !== undefined) tally.add(read.record, read.lsn);
  }
  return tally;
}

const suspects = (lines: string[], leastRows = 2): Suspect[] => tallied(lines, { ...whole, leastRows }).result.suspects;
const times = (count: number, text: () => string): string[] => Array.from({ length: count }, text);

describe('a transaction is found', () => {
  test('with the rows that it deleted and updated, and where its commit begins', () => {
    const found = suspects([...times(5, () => remove(700, orders)), update(700, orders), end(700, {}, '0/0C000110')]);
    expect(found).toEqual([
      expect.objectContaining({
        transaction: 700,
        before: '0/C000110',
        rows: [{ file: orders, deleted: 5, updated: 1, inserted: 0 }],
      }),
    ]);
  });

  test('not when it was rolled back, and not before it has ended', () => {
    expect(suspects([...times(5, () => remove(700, orders)), end(700, { kind: 'ABORT' })])).toEqual([]);
    expect(suspects(times(5, () => remove(700, orders)))).toEqual([]);
  });

  test('when it was prepared: by its own number, once it is committed', () => {
    const lines = [
      ...times(3, () => remove(700, orders)),
      line('Transaction', 700, 'PREPARE gid a; subxacts: 9: 2026-11-21 14:00:00 UTC'),
    ];
    expect(suspects(lines)).toEqual([]);
    expect(suspects([...lines, end(0, { prepared: 700 })])).toMatchObject([{ transaction: 700, prepared: true }]);
  });

  test('not for catalogs, and not below the threshold', () => {
    expect(suspects([...times(9, () => remove(700, '1663/5/1259')), end(700)])).toEqual([]);
    expect(suspects([...times(9, () => remove(700, orders)), end(700)], 10)).toEqual([]);
  });

  test('only in the time that is searched', () => {
    const lines = [...times(3, () => remove(700, orders)), end(700, { at: '2026-11-21 14:00:00.5' })];
    const during = (from: string, to: string) =>
      tallied(lines, { fromMs: Date.parse(from), toMs: Date.parse(to), leastRows: 2 }).result.suspects.length;
    expect(during('2026-11-21T13:00:00Z', '2026-11-21T14:00:01Z')).toBe(1);
    expect(during('2026-11-21T14:00:01Z', '2026-11-21T15:00:00Z')).toBe(0);
  });

  test('that dropped a table, and not one that dropped what it had made for itself', () => {
    expect(suspects([end(700, { rels: ['base/5/16394'] })])).toMatchObject([
      { dropped: ['1663/5/16394'], created: [] },
    ]);
    const own = [
      line('Storage', 700, 'CREATE base/5/16394'),
      insert(700, '1663/5/16394'),
      end(700, { rels: ['base/5/16394'] }),
    ];
    expect(suspects(own)).toEqual([]);
  });

  test('that dropped a database: before its files went, which is before its commit', () => {
    const drop = line('Database', 700, 'DROP dir 1663/16400', '0/0A000028');
    expect(suspects([drop, end(700)])).toMatchObject([{ droppedDatabases: [16400], before: '0/A000028' }]);
  });

  test('that dropped a database: before that was marked as invalid, where the server does so', () => {
    const mark = (row: number) => line('Heap', 0, `INPLACE off ${row}, blkref #0: rel 1664/0/1262 blk 0`, '0/09000028');
    const unlist = (lsn: string) =>
      line('Heap', 700, 'DELETE off 4 flags 0x00 KEYS_UPDATED , blkref #0: rel 1664/0/1262 blk 0 FPW', lsn);
    const drop = line('Database', 700, 'DROP dir 1663/16400', '0/0A000028');
    const targetOf = (lines: string[]) => suspects([...lines, drop, end(700)])[0]?.before;
    expect(targetOf([mark(4), unlist('0/09000090')])).toBe('0/9000028');
    expect(targetOf([unlist('0/09000090')])).toBe('0/9000090');
    // Another database's, or of a VACUUM long before.
    expect(targetOf([mark(5), unlist('0/09000090')])).toBe('0/9000090');
    expect(targetOf([mark(4), unlist('0/09900090')])).toBe('0/9900090');
  });

  test('as counted in part when it ran before reading began', () => {
    const running = line(
      'Standby',
      0,
      'RUNNING_XACTS nextXid 701 latestCompletedXid 699 oldestRunningXid 700; 1 xacts: 700',
    );
    expect(suspects([running, ...times(3, () => remove(700, orders)), end(700)])).toMatchObject([{ partly: true }]);
  });
});

test('what a crash left open is forgotten once all later transactions are told to be the only ones', () => {
  const running = line(
    'Standby',
    0,
    'RUNNING_XACTS nextXid 720 latestCompletedXid 719 oldestRunningXid 718; 1 xacts: 718',
  );
  const tally = tallied([remove(700, orders), remove(718, orders), running]);
  expect(tally.open).toBe(1);
});

test('a hundred thousand small transactions leave nothing in the memory', () => {
  const tally = new Tally({ ...whole, leastRows: 1000 });
  for (let xid = 1000; xid < 101_000; xid += 1) {
    tally.add({ what: 'rows', xid, file: orders, change: 'deleted', rows: 1 }, '0/0');
    tally.add(
      {
        what: 'end',
        end: { committed: true, xid, at: '2026-11-21T14:00:00Z', parts: [], dropped: [], touched: [], prepared: false },
      },
      '0/0',
    );
  }
  expect(tally.open).toBe(0);
  expect(tally.result).toEqual({ suspects: [], leftOut: 0 });
});

test('of too many the heaviest are kept, and the others counted', () => {
  const tally = new Tally({ ...whole, leastRows: 1 });
  for (let xid = 1000; xid < 2000; xid += 1) {
    tally.add({ what: 'rows', xid, file: orders, change: 'deleted', rows: xid }, '0/0');
    tally.add(
      {
        what: 'end',
        end: { committed: true, xid, at: '2026-11-21T14:00:00Z', parts: [], dropped: [], touched: [], prepared: false },
      },
      '0/0',
    );
  }
  const { suspects: kept, leftOut } = tally.result;
  expect(kept.length + leftOut).toBe(1000);
  expect(kept[0]?.transaction).toBe(1999);
  expect(Math.min(...kept.map(({ transaction }) => transaction))).toBe(2000 - kept.length);
});

/** What happens in parts of a transaction, nested, kept or taken back: told twice, as lines and as the rows that are gone at the end. */
interface Part {
  rows: number;
  kept: boolean;
  children: Part[];
}

const part: fc.Arbitrary<Part> = fc.letrec<{ part: Part }>((tie) => ({
  part: fc.record({
    rows: fc.nat({ max: 5 }),
    kept: fc.boolean(),
    children: fc.oneof({ maxDepth: 4 }, fc.constant<Part[]>([]), fc.array(tie('part'), { maxLength: 3 })),
  }),
})).part;

function told(one: Part, next: { xid: number }): { lines: string[]; rows: number; kept: number[] } {
  next.xid += 1;
  const own = next.xid;
  const below = one.children.map((child) => told(child, next));
  const lines = [...times(one.rows, () => remove(own, orders)), ...below.flatMap((child) => child.lines)];
  const kept = [own, ...below.flatMap((child) => child.kept)];
  const rows = one.rows + below.reduce((sum, child) => sum + child.rows, 0);
  if (one.kept) return { lines, rows, kept };
  return { lines: [...lines, end(own, { kind: 'ABORT', parts: kept.slice(1) })], rows: 0, kept: [] };
}

test('parts of a transaction count when they are kept, all the way up', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.nat({ max: 5 }), (parts, rows) => {
      const next = { xid: 900 };
      const all = parts.map((one) => told(one, next));
      const sum = rows + all.reduce((total, one) => total + one.rows, 0);
      const lines = [
        ...times(rows, () => remove(900, orders)),
        ...all.flatMap((one) => one.lines),
        end(900, { parts: all.flatMap((one) => one.kept) }),
      ];
      const found = suspects(lines, 1);
      expect(found[0]?.rows[0]?.deleted ?? 0).toBe(sum);
      expect(tallied(lines).open).toBe(0);
    }),
  );
});

test('numbers of transactions go round', () => {
  expect(precedes(4_294_967_290, 5)).toBe(true);
  expect(precedes(5, 4_294_967_290)).toBe(false);
});
