/** The drill's report as a file: the only thing of a demo that stays, where somebody asks for it. */
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Evidence } from '../../evidence/evidence.ts';
import { renderHtml } from '../../evidence/render/html.ts';
import type { Board } from './board.ts';

/** Looked at before anything is started: a demo of minutes should not end in a directory that is not there. */
export async function mayWrite(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw new Error(`--report ${file} is a directory. Name a file in it.`);
  const directory = dirname(resolve(file));
  await access(directory, constants.W_OK).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`--report ${file}: ${directory} cannot be written to (${why}). Name a file in another directory.`);
  });
}

/** Says where the report is, or how to keep it the next time. */
export async function keepReport(
  evidence: Evidence,
  { report, once }: { report?: string; once: boolean },
  board: Pick<Board, 'say'>,
): Promise<void> {
  if (report !== undefined) {
    const file = resolve(report);
    await writeFile(file, renderHtml(evidence));
    board.say(`Report   ${file}`);
  } else if (once)
    board.say('Report   not kept: --report FILE keeps it, and without --once the estate stays up to look at it.');
}
