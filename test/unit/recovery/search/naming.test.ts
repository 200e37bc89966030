import { describe, expect, test } from 'vitest';
import { effectsOf, findingsOf, Names, type RelationFacts } from '../../../../recovery/search/naming.ts';
import type { Suspect } from '../../../../recovery/search/suspects.ts';

const suspect = (facts: Partial<Suspect>): Suspect => ({
  transaction: 4711,
  at: '2026-11-21T14:03:07.221456Z',
  before: '0/5A01B28',
  rows: [],
  created: [],
  dropped: [],
  truncated: [],
  touched: [],
  droppedDatabases: [],
  ...facts,
});

const table = (oid: number, file: number, name: string, more: Partial<RelationFacts> = {}): RelationFacts => ({
  oid,
  database: 5,
  file: `1663/5/${file}`,
  name,
  isTable: true,
  ...more,
});

const live = (...relations: RelationFacts[]): Names => {
  const names = new Names();
  names.fromLive({ relations }, 5);
  return names;
};

const deleted = (file: number, rows: number) => ({ file: `1663/5/${file}`, deleted: rows, updated: 0, inserted: 0 });
const timelines = { timelines: [{ id: 1, ancestors: [], hasHistory: false, ranges: [] }] };
const usual = { leastRows: 1000, order: 'weight', limit: 20 } as const;

describe('rows', () => {
  test('are of the table that has the file', () => {
    const { effects, wanted } = effectsOf(
      suspect({ rows: [deleted(16384, 5)] }),
      live(table(16384, 16384, 'public.orders')),
    );
    expect(effects).toEqual([{ what: 'deleted', relation: 'public.orders', rows: 5, namedBy: 'live catalog' }]);
    expect(wanted).toBeUndefined();
  });

  test('of partitions add up to rows of their table', () => {
    const names = live(
      table(1, 16501, 'public.o1', { root: 'public.o' }),
      table(2, 16502, 'public.o2', { root: 'public.o' }),
    );
    const { effects } = effectsOf(suspect({ rows: [deleted(16501, 600), deleted(16502, 700)] }), names);
    expect(effects).toMatchObject([{ relation: 'public.o', rows: 1300 }]);
  });

  test('of more partitions than are listed count all the same', () => {
    const names = live(table(1, 16501, 'public.o1', { root: 'public.o' }));
    const many = suspect({ rows: [deleted(16501, 3)], beyond: { relations: 900, deleted: 2_700, updated: 0 } });
    expect(effectsOf(many, names)).toMatchObject({
      effects: [{ relation: 'public.o', rows: 2_703 }],
      wanted: undefined,
    });
  });

  test('of TOAST tables and catalogs are not told', () => {
    const names = live(table(9, 16387, 'pg_toast.pg_toast_16384', { isTable: false }));
    expect(effectsOf(suspect({ rows: [deleted(16387, 5000)] }), names).effects).toEqual([]);
  });

  test('of a file that nobody knows are told by its number, and a look is wanted', () => {
    expect(effectsOf(suspect({ rows: [deleted(16384, 5)] }), new Names())).toMatchObject({
      effects: [{ relation: '1663/5/16384', namedBy: 'nobody' }],
      wanted: 'before',
    });
  });
});

describe('a file that went with its commit', () => {
  const emptied = suspect({
    dropped: ['1663/5/16384'],
    created: [{ file: '1663/5/16403', inserted: 0, copied: false }],
    touched: [16384],
  });

  test('was a table that was emptied, when the table has a new one without the number of a rebuilt relation', () => {
    expect(effectsOf(emptied, live(table(16384, 16403, 'public.orders')))).toMatchObject({
      effects: [{ what: 'truncated', relation: 'public.orders' }],
      wanted: undefined,
    });
  });

  test('was rewritten, when the new one was built as a relation of its own', () => {
    const rebuilt = suspect({
      ...emptied,
      touched: [16384, 16403],
      created: [{ file: '1663/5/16403', inserted: 0, copied: true }],
    });
    expect(effectsOf(rebuilt, live(table(16384, 16403, 'public.orders'))).effects).toMatchObject([
      { what: 'rewritten' },
    ]);
  });

  test('is not explained by a table that is new', () => {
    expect(effectsOf(emptied, live(table(16403, 16403, 'public.other')))).toMatchObject({
      effects: [{ what: 'replaced', namedBy: 'nobody' }],
      wanted: 'before',
    });
  });

  test('was a dropped table, as large as the restored catalog knew it, when nothing took its place', () => {
    const names = live();
    names.fromRestore({ relations: [table(16384, 16384, 'public.orders', { rows: 900 })] });
    expect(effectsOf(suspect({ dropped: ['1663/5/16384'] }), names)).toMatchObject({
      effects: [{ what: 'dropped', relation: 'public.orders', rows: 900, about: true, namedBy: 'restored catalog' }],
      wanted: undefined,
    });
  });

  test('needs a look just after, when the table may have been dropped or emptied, and is gone today', () => {
    const names = live();
    names.fromRestore({ relations: [table(16384, 16384, 'public.orders')] });
    expect(effectsOf(emptied, names).wanted).toBe('after');
    names.fromJustAfter({ relations: [] }, 4711);
    expect(effectsOf(emptied, names)).toMatchObject({ effects: [{ what: 'dropped' }], wanted: undefined });
  });

  test('of an index is nothing that people would miss', () => {
    const names = live();
    names.fromRestore({ relations: [table(16389, 16389, 'public.orders_pkey', { isTable: false })] });
    expect(effectsOf(suspect({ dropped: ['1663/5/16389'] }), names)).toEqual({ effects: [], wanted: undefined });
  });
});

describe('findings', () => {
  const names = live(table(1, 16384, 'public.orders'), table(2, 16390, 'public.payments'));
  const heavy = suspect({ transaction: 2, at: '2026-11-21T14:05:00.000000Z', rows: [deleted(16384, 9000)] });
  const early = suspect({ transaction: 1, at: '2026-11-21T14:01:00.000000Z', rows: [deleted(16390, 2000)] });
  const light = suspect({ transaction: 3, rows: [deleted(16384, 600), deleted(16390, 600)] });
  const told = (choice: object) =>
    findingsOf([early, heavy, light], names, { ...usual, ...choice }, timelines, 1).findings.map(
      (one) => one.transaction,
    );

  test('come by weight or by time; what is light in every table is not told', () => {
    expect(told({})).toEqual([2, 1]);
    expect(told({ order: 'time' })).toEqual([1, 2]);
    expect(told({ leastRows: 500 })).toEqual([2, 1, 3]);
  });

  test('are only of the table that was asked for, and only so many as were asked for', () => {
    expect(told({ table: 'public.payments' })).toEqual([1]);
    expect(findingsOf([early, heavy], names, { ...usual, limit: 1 }, timelines, 1)).toMatchObject({ more: 1 });
  });

  test('before a fork lead to the timeline that holds them', () => {
    const forked = {
      timelines: [{ id: 2, ancestors: [{ timeline: 1, forkLsn: '0/6000000' }], hasHistory: true, ranges: [] }],
    };
    const { findings } = findingsOf([heavy], names, usual, forked, 2);
    expect(findings[0]?.target).toEqual({ kind: 'lsn', lsn: '0/5A01B28', inclusive: false, timeline: 1 });
  });
});
