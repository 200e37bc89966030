import { expect, test } from 'vitest';
import { comparisonOf, type Table } from '../../../activities/ledger/table.ts';

const int8 = 20;
const uuid = 2950;
const numeric = 1700;
const textType = 25;

function table(columns: [name: string, type: number][], key: string[] = ['id'], more: Partial<Table> = {}): Table {
  return {
    name: 'public.orders',
    columns: columns.map(([name, type]) => ({ name, quoted: `"${name}"`, type })),
    key,
    hasHeirs: false,
    ...more,
  };
}

const orderOf = (one: Table, other = one) => comparisonOf(one, other)?.key?.columns;

test('whole numbers and uuids keep the order of their index, everything else is ordered by bytes of UTF-8', () => {
  expect(orderOf(table([['id', int8]]))).toEqual([{ text: 't."id"::text', by: 't."id"', order: 'number' }]);
  expect(orderOf(table([['id', uuid]]))).toEqual([{ text: 't."id"::text', by: 't."id"', order: 'bytes' }]);
  const bytes = 'convert_to(t."id"::text, \'UTF8\')';
  expect(orderOf(table([['id', textType]]))).toEqual([{ text: 't."id"::text', by: bytes, order: 'bytes' }]);
  expect(orderOf(table([['id', 123_456]]))?.[0]?.by).toBe(bytes);
});

test('1.0 and 1.00 are one key', () => {
  expect(orderOf(table([['id', numeric]]))?.[0]?.text).toBe('trim_scale(t."id")::text');
});

test('a key whose type was changed is compared by its text', () => {
  expect(orderOf(table([['id', int8]]), table([['id', textType]]))?.[0]).toMatchObject({
    by: 'convert_to(t."id"::text, \'UTF8\')',
    order: 'bytes',
  });
});

test('a key keeps its own order of columns', () => {
  const two = table(
    [
      ['day', textType],
      ['id', int8],
    ],
    ['id', 'day'],
  );
  expect(comparisonOf(two, two)?.key?.names).toEqual(['id', 'day']);
  expect(orderOf(two)?.map(({ order }) => order)).toEqual(['number', 'bytes']);
});

test('columns that only one of them has are not compared, and named', () => {
  const old = table([
    ['id', int8],
    ['gone', textType],
  ]);
  const recovered = table([
    ['id', int8],
    ['added', textType],
  ]);
  const comparison = comparisonOf(old, recovered);
  expect(comparison?.shared.map(({ name }) => name)).toEqual(['id']);
  expect(comparison?.notes).toEqual([
    'columns that only the old one has, not compared: gone',
    'columns that only the recovered one has, not compared: added',
  ]);
});

test.each([
  ['it has no primary key', table([['id', int8]], []), table([['id', int8]], [])],
  ['its primary key is not the same in both', table([['id', int8]]), table([['id', int8]], ['id', 'id'])],
  ['other tables inherit from it', table([['id', int8]], ['id'], { hasHeirs: true }), table([['id', int8]])],
])('where %s, whole rows are counted, and that is said', (why, old, recovered) => {
  const comparison = comparisonOf(old, recovered);
  expect(comparison?.key).toBeUndefined();
  expect(comparison?.notes[0]).toContain(why);
});

test('a table that only one of them has is compared with nothing', () => {
  expect(comparisonOf(table([['id', int8]]), undefined)?.notes).toEqual(['the recovered database has no such table']);
  expect(comparisonOf(undefined, table([['id', int8]]))?.notes).toEqual(['the old database has no such table']);
  expect(comparisonOf(undefined, undefined)).toBeUndefined();
});
