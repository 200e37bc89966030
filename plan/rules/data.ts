/** What is said about the data can be asked of a server that only reads. */
import { qualified } from './promises.ts';
import { repeated, rule } from './rule.ts';

export const criticalTablesAreNamedOnce = rule(['database'], ({ database }, say) => {
  for (const index of repeated(database.criticalTables, qualified))
    say(['database', 'criticalTables', index], `table ${database.criticalTables[index]} is named twice`);
});

export const assertionsOnlyRead = rule(['database'], ({ database }, say) => {
  for (const [index, { sql }] of database.assertions.entries()) {
    const problem = sqlProblem(sql);
    if (problem !== undefined)
      say(['database', 'assertions', index, 'sql'], problem, { instead: 'write one SELECT that only reads' });
  }
});

export const assertionsHaveNamesOfTheirOwn = rule(['database'], ({ database }, say) => {
  for (const index of repeated(database.assertions, ({ name }) => name.toLowerCase()))
    say(['database', 'assertions', index, 'name'], 'another assertion has this name already');
});

/** Comments, texts and quoted names, which may hold any word. An E'..' text may hold a quote after a backslash. */
const quoted =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1/g;
const writing = /\b(insert|update|delete|merge|truncate|into)\b/i;

/**
 * Catches what was written by mistake. It is no wall: the statement runs in a READ ONLY transaction of a server that is thrown away.
 */
export function sqlProblem(sql: string): string | undefined {
  const bare = sql.replace(quoted, ' ').trim();
  if (!/^(select|with)\b/i.test(bare)) return 'an assertion begins with SELECT or WITH';
  if (bare.includes(';')) return 'an assertion is one statement, without a semicolon';
  const [, word] = writing.exec(bare) ?? [];
  return word === undefined ? undefined : `an assertion only reads, and this one says ${word.toUpperCase()}`;
}
