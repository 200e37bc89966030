import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, compareKeys, type KeyOrder } from '../../../../recovery/ledger/keys.ts';
import {
  countWholeRows,
  type Difference,
  differences,
  type Keyed,
  OutOfOrder,
} from '../../../../recovery/ledger/merge.ts';

async function* streamOf<R>(rows: R[]): AsyncGenerator<R> {
  yield* rows;
}

async function collected<R extends Keyed<string[]>>(old: R[], recovered: R[], orders: KeyOrder[]) {
  const found: Difference<R>[] = [];
  const compare = (a: string[], b: string[]) => compareKeys(a, b, orders);
  for await (const one of differences(streamOf(old), streamOf(recovered), compare)) found.push(one);
  return found;
}

const orders: KeyOrder[] = ['number', 'bytes'];
const number = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const few = fc.integer({ min: -12, max: 12 }).map(String);
// Whole characters only: PostgreSQL knows no halves of surrogate pairs.
const text = fc.string({ unit: 'binary', maxLength: 4 });
const key = fc.tuple(fc.oneof(few, number), fc.oneof(fc.constantFrom('', 'a', 'ab', 'ä', '\u{1f6df}', '\uffff'), text));
const rows = fc
  .array(fc.record({ key, content: fc.constantFrom('1', '2', '3') }), { maxLength: 40 })
  .map((all) => [...new Map(all.map((row) => [JSON.stringify(row.key), row])).values()])
  .map((all) => all.sort((a, b) => compareKeys(a.key, b.key, orders)));

test('whatever two databases hold, each row is told missing, changed, new or equal, as it is', async () => {
  await fc.assert(
    fc.asyncProperty(rows, rows, async (old, recovered) => {
      const byKey = (all: Keyed<string[]>[]) => new Map(all.map((row) => [JSON.stringify(row.key), row.content]));
      const [was, is] = [byKey(old), byKey(recovered)];
      const found = await collected(old, recovered, orders);
      const keysOf = (what: string) =>
        found
          .flatMap((one) => (one.what !== what || one.what === 'equal' ? [] : ['old' in one ? one.old : one.recovered]))
          .map((row) => JSON.stringify(row.key))
          .sort();
      const [wasKeys, isKeys] = [[...was.keys()], [...is.keys()]];
      expect(keysOf('missing')).toEqual(wasKeys.filter((one) => !is.has(one)).sort());
      expect(keysOf('new')).toEqual(isKeys.filter((one) => !was.has(one)).sort());
      const both = wasKeys.filter((one) => is.has(one));
      expect(keysOf('changed')).toEqual(both.filter((one) => was.get(one) !== is.get(one)).sort());
      expect(found.filter(({ what }) => what === 'equal')).toHaveLength(
        both.filter((one) => was.get(one) === is.get(one)).length,
      );
    }),
  );
});

test('text is ordered as its bytes in UTF-8 are', () => {
  const sign = (value: number) => Math.sign(value);
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: 'grapheme' })), text, (a, b) => {
      expect(sign(compareBytes(a, b))).toBe(sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
  // What JavaScript itself says the other way round.
  expect(compareBytes('\uffff', '\u{1f6df}')).toBeLessThan(0);
});

test('numbers are ordered as numbers, however long', () => {
  expect(compareKeys(['-2', 'x'], ['10', 'a'], orders)).toBeLessThan(0);
  expect(compareKeys(['9223372036854775807', ''], ['9223372036854775806', ''], orders)).toBeGreaterThan(0);
  expect(compareKeys(['1', 'b'], ['1', 'a'], orders)).toBeGreaterThan(0);
});

test('rows out of order, or twice, are refused: their differences would be made up', async () => {
  const row = (id: string) => ({ key: [id], content: '1' });
  await expect(collected([row('2'), row('1')], [], ['number'])).rejects.toThrow(OutOfOrder);
  await expect(collected([], [row('1'), row('1')], ['number'])).rejects.toThrow(OutOfOrder);
  await expect(collected([row('9'), row('10')], [], ['bytes'])).rejects.toThrow(OutOfOrder);
});

test('rows without a key are counted as often as they occur', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: -3, max: 3 })),
      fc.array(fc.integer({ min: -3, max: 3 })),
      async (old, recovered) => {
        const counted = (all: number[]) =>
          [...new Set(all)]
            .sort((a, b) => a - b)
            .map((one) => ({ key: String(one), content: String(all.filter((other) => other === one).length) }));
        const rest = [...recovered];
        let missing = 0;
        for (const one of old) {
          const at = rest.indexOf(one);
          if (at < 0) missing += 1;
          else rest.splice(at, 1);
        }
        const compare = (a: string, b: string) => compareKeys([a], [b], ['number']);
        const found = await countWholeRows(streamOf(counted(old)), streamOf(counted(recovered)), compare);
        expect(found).toEqual({ missing, added: rest.length });
      },
    ),
  );
});
