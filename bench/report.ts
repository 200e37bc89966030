/** Where the result goes, besides the terminal. */
import { readFile, writeFile } from 'node:fs/promises';
import { renderMarkdown } from './render.ts';
import { type Result, resultSchema } from './result.ts';

export async function writeJson(file: string, result: Result): Promise<void> {
  await writeFile(file, `${JSON.stringify(resultSchema.parse(result), null, 2)}\n`);
}

const begin = '<!-- bench: begin -->';
const end = '<!-- bench: end -->';

/** A page that has the two marks gets the table between them; any other file is the table alone. */
export async function writeMarkdown(file: string, result: Result): Promise<void> {
  const page = await readFile(file, 'utf8').catch(() => undefined);
  await writeFile(file, withTable(page, renderMarkdown(result)));
}

export function withTable(page: string | undefined, table: string): string {
  const [before, rest] = page?.split(begin) ?? [];
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) return `${table}\n`;
  return `${before}${begin}\n${table}\n${end}${after}`;
}
