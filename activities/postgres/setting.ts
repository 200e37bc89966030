/** What is written for PostgreSQL to read: lines of a configuration file, and connection strings in them. */

/**
 * Inside of quotes a quote and a backslash have a meaning, and a line break is none.
 * @see PostgreSQL source, DeescapeQuotedString in src/backend/utils/misc/guc-file.l
 */
export function settingLine(name: string, value: string | number): string {
  if (typeof value === 'number') return `${name} = ${value}`;
  const text = value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `${name} = '${text}'`;
}

/** @see PostgreSQL documentation, "Keyword/Value Connection Strings" */
export function connectionString(words: Record<string, string>): string {
  return Object.entries(words)
    .map(([name, value]) => `${name}=${connectionWord(value)}`)
    .join(' ');
}

function connectionWord(value: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(value) ? value : `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
}
