import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';

/** Changes what a file says at some places (`drills.monthly.keepFree`); it keeps its comments, and its owner: a permit is root's. */
export async function inYaml(file: string, changes: Record<string, unknown>): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  for (const [path, value] of Object.entries(changes)) document.setIn(path.split('.'), value);
  await writeFile(file, document.toString({ lineWidth: 0 }));
}
