/** Whatever stands in a plan: it is refused in words that can be shown, or it is what the programs that get it take it for. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { loadPlanText } from '../../../plan/load.ts';
import type { Plan } from '../../../plan/schema.ts';

const file = 'examples/orders.yaml';
/** With every key that either of them has, and one that neither has. */
const examples = [file, 'examples/switchover.yaml'].map((name) =>
  readFileSync(name, 'utf8').replace(
    /^( *)bucket: .*$/m,
    (line, indent: string) => `${line}\n${indent}prefix: dr/lifeboat/`,
  ),
);

const attacks = [
  `o'r"d ers;--`,
  '$(touch /tmp/x)',
  '`id`',
  '--delta',
  '-rf',
  '../../etc',
  '/var/lib/../etc',
  '/a//b',
  '/a/./b',
  '/a,/b',
  '\t',
  '/a\nb',
  'a\nb: c',
  'a\0b',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u202eevil\u2066',
  '%f %p',
  '"; drop table orders; --',
  '"Order ""lines"""',
  '"unclosed',
  'orders.pg_class.x',
  'a.b"c',
  'ftp://x',
  '${env:SECRET}',
  '${file:../x}',
  'first Saturday 02:00 UTC',
  '5m',
  '*a',
  '&a',
  '!!js/function x',
  '__proto__',
  '\u{1f6df}',
  '\ud800',
  '',
];

/** Places of all texts in the example. */
function placesOf(value: unknown, way: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'string') return [way];
  if (typeof value !== 'object' || value === null) return [];
  const inner: [string | number, unknown][] = Array.isArray(value)
    ? value.map((one, index) => [index, one])
    : Object.entries(value);
  return inner.flatMap(([key, one]) => placesOf(one, [...way, key]));
}
const places = examples.flatMap((example) => placesOf(parseDocument(example).toJS()).map((way) => ({ example, way })));
type Place = (typeof places)[number];

function planWith({ example, way: place }: Place, value: string): string {
  const document = parseDocument(example);
  document.setIn(place, value);
  return document.toString({ lineWidth: 0 });
}

/** What other programs are told: each of these would be taken for something else than it is. */
function trusts(plan: Plan): void {
  const { frontDoor, members, criticalTables, assertions } = plan.database;
  const paths = [
    plan.backups.physical.config,
    plan.evidence.directory,
    plan.drills.monthly.directory,
    ...(plan.pulse === undefined ? [] : [plan.pulse.log]),
    ...members.map(({ dataDirectory }) => dataDirectory),
  ];
  for (const path of paths) {
    expect(path).toMatch(/^\/[^/]/);
    expect(path).not.toMatch(/\/\/|\/$|\p{Cc}/u);
    expect(path.split('/')).not.toContain('..');
    expect(path.split('/')).not.toContain('.');
  }
  for (const host of [frontDoor.host, ...members.map((member) => member.host)]) expect(host).not.toMatch(/^-|[^\w.:-]/);
  for (const { control } of members)
    if (control?.kind === 'command')
      for (const word of [...control.start, ...control.stop]) expect(word).toMatch(/^[^\p{Cc}]+$/u);
  const { user = '', passfile = '/x', options = {} } = plan.database.replication ?? {};
  for (const word of [user, passfile, ...Object.values(options)]) expect(word).not.toMatch(/\p{Cc}/u);
  for (const option of Object.keys(options)) expect(option).toMatch(/^[a-z_]+$/);
  const { prefix } = plan.evidence;
  expect(prefix).not.toMatch(/^\/|\/\/|\p{Cc}/u);
  for (const part of prefix.split('/')) expect(part).not.toMatch(/^\.{1,2}$/);
  for (const name of [plan.service, plan.drills.monthly.host]) expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
  expect(plan.backups.physical.stanza).toMatch(/^[A-Za-z0-9][\w.-]*$/);
  for (const table of criticalTables)
    expect(table.replaceAll('""', '').match(/"/g)?.length ?? 0).toSatisfy((n: number) => n % 2 === 0);
  for (const word of [frontDoor.database, frontDoor.user, plan.traffic.backend, ...assertions.map(({ name }) => name)])
    expect(word).toMatch(/^[^\p{Cc}]+$/u);
  expect(new URL(plan.evidence.endpoint).protocol).toMatch(/^https?:$/);
}

describe('any text in any place of a plan', () => {
  test('is refused in words that can be shown, or is what it is taken for', () => {
    const hostile = fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary', maxLength: 40 }));
    const seen = { refused: 0, taken: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...places), hostile, (place, value) => {
        let plan: Plan;
        try {
          plan = loadPlanText(planWith(place, value), file).plan;
        } catch (error) {
          seen.refused += 1;
          expect(error).toHaveProperty('problems');
          expect((error as Error).message.replaceAll('\n', '')).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
          return;
        }
        seen.taken += 1;
        trusts(plan);
      }),
    );
    expect(seen.refused).toBeGreaterThan(0);
    expect(seen.taken).toBeGreaterThan(0);
  }, 600_000);

  test('a table whose name has a quote in it can be written as SQL writes it', () => {
    const place = { example: examples[0] ?? '', way: ['database', 'criticalTables', 0] };
    expect(loadPlanText(planWith(place, '"Order ""lines"""'), file).plan.database.criticalTables[0]).toBe(
      '"Order ""lines"""',
    );
    for (const wrong of ['"a"b"', '"a', '"a""', 'a"b"'])
      expect(() => loadPlanText(planWith(place, wrong), file)).toThrow(/not a table/);
  });
});
