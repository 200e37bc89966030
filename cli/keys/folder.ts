/** Where people keep their keys, and who sits here by them. */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../problem.ts';

type Environment = Record<string, string | undefined>;

const suffix = '.key';
/** As a plan names people. */
const personForm = /^[a-z][a-z0-9-]{0,40}$/;

export function isPerson(name: string): boolean {
  return personForm.test(name);
}

export function keyFolder({ XDG_CONFIG_HOME, HOME }: Environment): string {
  return join(XDG_CONFIG_HOME || join(HOME || homedir(), '.config'), 'lifeboat');
}

/** @throws Problem for what cannot be a person's id: it becomes part of a path */
export function keyFileOf(environment: Environment, person: string): string {
  return join(keyFolder(environment), `${checkedPerson(person)}${suffix}`);
}

/** @throws Problem saying how a person is named */
export function checkedPerson(person: string): string {
  if (isPerson(person)) return person;
  throw new Problem(
    'badInput',
    `"${person}" is no short name of a person: use the one that the plan's people.persons has, in lower-case letters, digits and hyphens, such as ana.`,
  );
}

/** People whose keys lie here, by name. */
export async function peopleHere(environment: Environment): Promise<string[]> {
  try {
    const files = await readdir(keyFolder(environment));
    return files
      .filter((file) => file.endsWith(suffix))
      .map((file) => file.slice(0, -suffix.length))
      .filter(isPerson)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem('badInput', `The folder of keys cannot be read: ${why}.`);
  }
}
