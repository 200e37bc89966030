import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectionString, settingLine } from '../../../activities/postgres/setting.ts';

/** As PostgreSQL reads a quoted value: `''` is a quote, and a backslash gives what follows it a meaning. */
function readSetting(line: string): string {
  const [, inner] = /^[a-z_]+ = '((?:[^'\\\n]|\\.|'')*)'$/s.exec(line) ?? [];
  if (inner === undefined) throw new Error(`syntax error in ${line}`);
  return inner.replaceAll(/\\(.)|''/gs, (_all, escaped?: string) =>
    escaped === undefined ? "'" : ({ n: '\n', r: '\r' }[escaped] ?? escaped),
  );
}

/** As libpq reads a connection string. */
function readConnection(text: string): Record<string, string> {
  const words: Record<string, string> = {};
  const word = /\s*([a-z_]+)=(?:'((?:[^'\\]|\\.)*)'|(\S+))/gsy;
  for (let found = word.exec(text); found !== null; found = word.exec(text))
    words[found[1] ?? ''] = (found[2] ?? found[3] ?? '').replaceAll(/\\(.)/gs, '$1');
  return words;
}

const hostile = fc.oneof(
  fc.constantFrom(
    `pa'ss`,
    `pa\\ss`,
    `\\'`,
    `' restore_command='touch /tmp/x`,
    `x\narchive_command = 'touch /tmp/x'`,
    '',
    ' ',
    'a b',
    '%f',
  ),
  fc.string({ unit: fc.constantFrom("'", '\\', '\n', '\r', ' ', '=', '#', 'n', 'é') }),
);

test('a setting is read as it was written, whatever is in it, and stays one line', () => {
  fc.assert(
    fc.property(hostile, (value) => {
      const line = settingLine('primary_conninfo', value);
      expect(line).not.toContain('\n');
      expect(readSetting(line)).toBe(value);
    }),
  );
});

test('a password, a role and an option of any letters come to the server through both kinds of quotes', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (user, password, options) => {
      const words = { host: '10.0.1.11', user, password, options, application_name: 'db1' };
      expect(readConnection(readSetting(settingLine('primary_conninfo', connectionString(words))))).toEqual(words);
    }),
  );
});

test('a number stands without quotes', () => {
  expect(settingLine('port', 5432)).toBe('port = 5432');
});
