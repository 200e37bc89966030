import { describe, expect, test } from 'vitest';
import { orders, ordersWith, problemsOf } from './orders.ts';

describe('YAML that could surprise a reader is refused', () => {
  test.each<[what: string, text: string, problem: string]>([
    ['an empty file', '', 'orders.yaml:1:1 the plan is empty: begin with "service: <name>"'],
    ['only comments', '# nothing yet\n', 'orders.yaml:1:1 the plan is empty: begin with "service: <name>"'],
    ['a list', '- orders\n', 'orders.yaml:1:1 a plan is a map of keys and values: begin with "service: <name>"'],
    ['a word', 'orders\n', 'orders.yaml:1:1 a plan is a map of keys and values: begin with "service: <name>"'],
    ['a key twice', `${orders}service: other\n`, 'orders.yaml:54:1 this key stands here twice: keep one'],
    ['a tab', ordersWith(['  rto: 4h', '\trto: 4h']), 'orders.yaml:3:1 a tab cannot indent: use spaces'],
    [
      'a second plan',
      `${orders}---\n${orders}`,
      'orders.yaml:54:1 a second document begins here (---): a file holds one plan',
    ],
    [
      'an anchor',
      ordersWith(['database: 45m', 'database: &long 45m']),
      'orders.yaml:11:19 a plan uses no anchors (&, *): write the value out',
    ],
    [
      'a tag',
      ordersWith(['rto: 4h', 'rto: !!str 4h']),
      'orders.yaml:3:14 a plan uses no tags (!): write the plain value',
    ],
    [
      'a merge key',
      ordersWith(['  rto: 4h', '  <<: { rto: 4h }\n  rto: 4h']),
      'orders.yaml:3:3 unknown key "<<" in objectives: the keys here are rto, rpo, runbooks, components, dataClasses',
    ],
    ['a directive', `%YAML 1.1\n---\n${orders}`, 'orders.yaml:1:1 a plan has no % directives: leave the line out'],
    [
      'a key with a meaning of its own',
      ordersWith(['  east:', '  __proto__:']),
      'orders.yaml:16:3 this word has a meaning of its own to programs: use another',
    ],
    [
      'a text that reads otherwise than it is',
      ordersWith(['backend: postgres', 'backend: "post\u202egres"']),
      'orders.yaml:42:69 there is a character here that cannot be seen: write the text again by hand',
    ],
    [
      'a control character',
      ordersWith(['backend: postgres', 'backend: "post\\0gres"']),
      'orders.yaml:42:69 there is a character here that cannot be seen: write the text again by hand',
    ],
    [
      'a colon too many',
      ordersWith(['backend: postgres', 'backend: post: gres']),
      'orders.yaml:42:69 this is not YAML as a plan needs it: check quotes, brackets and indentation here and in the line above',
    ],
    [
      'indentation that does not fit',
      ordersWith(['  rpo: 5m', ' rpo: 5m']),
      'orders.yaml:4:1 the indentation does not fit the lines above: keys that belong together start in the same column',
    ],
    [
      'a named secret in braces without quotes',
      ordersWith(['smoke: { command', `smoke: { secret: \${env:X}, command`]),
      `orders.yaml:41:21 inside braces a named secret needs quotes: '\${env:NAME}'`,
    ],
  ])('%s', (_what, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test.each([
    ['brackets', `service: ${'['.repeat(100_000)}`],
    ['dashes', '- '.repeat(100_000)],
    ['braces', '{a: '.repeat(100_000)],
  ])('a plan nested without end is refused before it is read: %s', (_what, text) => {
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^orders\.yaml:1:\d+ it is nested more than 50 levels deep: a plan is not$/),
    ]);
  });

  test('a file that is too large is refused', () => {
    expect(problemsOf(`# ${'x'.repeat(1024 * 1024)}`)).toEqual([
      'orders.yaml:1:1 the file is larger than 1 MB: a plan is not',
    ]);
  });
});
