/** A word for sh: inside single quotes nothing has a meaning but the quote itself. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
