/**
 * The file that a unit's own condition looks for: while it is there systemd starts the unit for nobody. A mask would do nothing for a unit in
 * /etc, and a drop-in that this user could write would let him run anything as root: so an administrator lays the drop-in once, and only the
 * file comes and goes.
 */
import { constants } from 'node:fs';
import { access, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure } from '../failure.ts';

/** Characters of a name that are shown. */
const longest = 200;

/** Who has laid it and when, in words; undefined when it is not there. */
export async function readFlag(file: string): Promise<string | undefined> {
  try {
    const { mtime } = await stat(file);
    const [by = ''] = (await readFile(file, 'utf8')).split('\n');
    const who = by !== '' ? by.slice(0, longest) : 'somebody who has left no name';
    return wordsOf(file, who, mtime);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw failure('NotPermitted', `${file} cannot be read (${codeOf(error)}). Expected a file of this user, or none.`);
  }
}

function wordsOf(file: string, by: string, since: Date): string {
  return `quiesced by ${by} since ${since.toISOString()} (${file})`;
}

export function laidBy(by: string, words: string | undefined): boolean {
  return words?.startsWith(`quiesced by ${by} since `) === true;
}

/** One that is there stays as it is. */
export async function layFlag(file: string, by: string): Promise<void> {
  try {
    await writeFile(file, `${by}\n`, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw notWritable(file, error);
  }
}

export async function removeFlag(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw notWritable(file, error);
  }
}

/** @throws NotPermitted */
export async function flagCanBeLaid(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK).catch((error) => {
    throw notWritable(file, error);
  });
}

function notWritable(file: string, error: unknown): Error {
  return failure(
    'NotPermitted',
    `${file} cannot be made and removed by this user (${codeOf(error)}): ${dirname(file)} has to be there and to belong to it.`,
  );
}

export function howToHeed(unit: string, file: string): string {
  return `lay /etc/systemd/system/${unit}.d/lifeboat.conf with the two lines "[Unit]" and "ConditionPathExists=!${file}", then run systemctl daemon-reload`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
