/** Who says something to a run, and with which key. */
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { signed } from '../../activities/people/keys.ts';
import type { Signature, Statement } from '../../evidence/signing.ts';
import type { Cli } from '../cli.ts';
import { Problem } from '../problem.ts';
import { checkedPerson, isPerson, keyFileOf, keyFolder, peopleHere } from './folder.ts';
import { readKeyFile } from './key-file.ts';

export interface IdentityOptions {
  as?: string;
  key?: string;
}

export function withIdentity(command: Command): Command {
  return command
    .option('--as <name>', 'who you are, as the plan names you (else LIFEBOAT_PERSON, else the only key here)')
    .option('--key <file>', 'the private key to sign with (else LIFEBOAT_KEY, else your own in the key folder)');
}

export interface Me {
  /** Id of a person of the plan: a claim, until a signature proves it. */
  person: string;
  /** Absent where there is no key. */
  sign?: (statement: Statement) => Signature;
}

/**
 * `--as`, else LIFEBOAT_PERSON, else the only one whose key lies here.
 *
 * @throws Problem when nobody is named, or the key cannot be used
 */
export async function whoAmI(cli: Cli, options: IdentityOptions): Promise<Me> {
  const person = await myName(cli, options);
  return { person, ...(await keyOf(cli, options, person)) };
}

/**
 * The name alone, for whoever is about to be asked whether it is meant: no key is opened yet.
 *
 * @throws Problem when nobody is named, or the key that was named is not there
 */
export async function myName(cli: Cli, options: IdentityOptions): Promise<string> {
  const person = await personNamed(cli, options);
  if (person === undefined) throw new Problem('badInput', await nobodyNamed(cli));
  const chosen = keyNamed(cli, options);
  if (chosen !== undefined && !existsSync(chosen)) throw noKey(chosen);
  return checkedPerson(person);
}

/**
 * The same for a start, which may also be asked for by somebody who is no person of the plan. A key that cannot be used is said, and
 * does not hold up the start, except when it was named.
 */
export async function whoStarts(cli: Cli, options: IdentityOptions): Promise<Partial<Me>> {
  const person = await personNamed(cli, options);
  if (person === undefined || !isPerson(person)) return person === undefined ? {} : { person };
  try {
    return { person, ...(await keyOf(cli, options, person)) };
  } catch (error) {
    if (!(error instanceof Problem) || options.key !== undefined) throw error;
    cli.terminal.message(`The start is not signed: ${error.message}`);
    return { person };
  }
}

async function personNamed({ environment }: Cli, { as }: IdentityOptions): Promise<string | undefined> {
  const named = as ?? environment.LIFEBOAT_PERSON;
  if (named !== undefined && named !== '') return named;
  const here = await peopleHere(environment);
  return here.length === 1 ? here[0] : undefined;
}

async function nobodyNamed({ environment }: Cli): Promise<string> {
  const here = await peopleHere(environment);
  const folder = keyFolder(environment);
  const seen = here.length === 0 ? `no key lies in ${folder}` : `${folder} has keys of ${here.join(', ')}`;
  return `Who you are is not known: ${seen}. Name yourself as the plan does, with --as NAME or LIFEBOAT_PERSON${here.length === 0 ? '; a key is made by: lifeboat keys create --person NAME' : ''}.`;
}

async function keyOf(cli: Cli, options: IdentityOptions, person: string): Promise<Pick<Me, 'sign'>> {
  const chosen = keyNamed(cli, options);
  const file = chosen ?? keyFileOf(cli.environment, person);
  const key = await readKeyFile(file, (question) => passphrase(cli, question));
  if (key === undefined && chosen !== undefined) throw noKey(chosen);
  return key === undefined ? {} : { sign: signer(key) };
}

function keyNamed({ environment }: Cli, { key }: IdentityOptions): string | undefined {
  return (key ?? environment.LIFEBOAT_KEY) || undefined;
}

function noKey(file: string): Problem {
  return new Problem('badInput', `There is no key ${file}. Make one: lifeboat keys create --out ${file}`);
}

function signer(key: KeyObject): (statement: Statement) => Signature {
  return (statement) => signed(statement, key, 'person');
}

/** From LIFEBOAT_KEY_PASSPHRASE, else from the person who sits here. */
export async function passphrase(cli: Cli, question: string): Promise<string | undefined> {
  return cli.environment.LIFEBOAT_KEY_PASSPHRASE || (await cli.askSecret(question));
}
