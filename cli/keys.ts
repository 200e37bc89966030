/** `lifeboat keys`: the keys with which a person signs what is said to a run. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { publicLine } from '../activities/people/keys.ts';
import { type Cli, leave, withJson } from './cli.ts';
import { checkedPerson, keyFileOf, keyFolder, peopleHere } from './keys/folder.ts';
import { createKeyFile, readKeyFile } from './keys/key-file.ts';
import { passphrase } from './keys/me.ts';
import { Problem } from './problem.ts';

interface KeyOptions {
  json?: boolean;
  person?: string;
}

interface CreateOptions extends KeyOptions {
  out?: string;
  passphrase?: boolean;
}

export function keysCommand(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('the keys with which people sign what they say to a run');
  withJson(
    keys
      .command('create')
      .description("make a person's Ed25519 key, and print the public half for the plan")
      .option('--person <name>', "short name in the plan's people.persons (default: your user name)")
      .option('--out <file>', 'write the private key there')
      .option('--passphrase', 'encrypt it; asked for, or taken from LIFEBOAT_KEY_PASSPHRASE, which encrypts by itself'),
  ).action(async (options: CreateOptions) => {
    const person = checkedPerson(options.person ?? usualPerson(cli));
    const file = options.out === undefined ? keyFileOf(cli.environment, person) : resolve(options.out);
    const publicKey = await createKeyFile(file, await newPassphrase(cli, options));
    if (options.json) cli.terminal.result(JSON.stringify({ person, publicKey, file }));
    else cli.terminal.result(createdInWords(person, publicKey, file));
    leave(cli, 'good');
  });
  withJson(
    keys
      .command('show')
      .description('the public halves of the keys that lie here, as a plan writes them')
      .option('--person <name>', 'only of this one'),
  ).action(async (options: KeyOptions) => {
    const shown = await keysHere(cli, options.person);
    cli.terminal.result(options.json ? JSON.stringify(shown) : shown.map(shownInWords).join('\n'));
    leave(cli, shown.some(({ problem }) => problem !== undefined) ? 'badInput' : 'good');
  });
}

function usualPerson({ environment: { LIFEBOAT_PERSON, USER, LOGNAME } }: Cli): string {
  const person = LIFEBOAT_PERSON || USER || LOGNAME;
  // Several people are root: a key of that name says nothing of who signed.
  if (person === undefined || person === '' || person === 'root')
    throw new Problem('badInput', "Whose key it is must be said: --person NAME, as the plan's people.persons has it.");
  return person;
}

async function newPassphrase(cli: Cli, options: CreateOptions): Promise<string | undefined> {
  const given = cli.environment.LIFEBOAT_KEY_PASSPHRASE;
  if (given) return given;
  if (!options.passphrase) return undefined;
  const first = await passphrase(cli, 'Passphrase for the new key: ');
  if (first === undefined || first === '')
    throw new Problem('badInput', 'No passphrase was given. Where nobody can be asked, set LIFEBOAT_KEY_PASSPHRASE.');
  if ((await passphrase(cli, 'Once more: ')) !== first)
    throw new Problem('badInput', 'The two passphrases differ: no key was made.');
  return first;
}

function createdInWords(person: string, publicKey: string, file: string): string {
  return [
    publicKey,
    '',
    `The private key is in ${file}; it never leaves this machine. Into the plan goes the line above:`,
    '',
    'people:',
    '  persons:',
    `    ${person}:`,
    '      name: ...',
    `      keys: ['${publicKey}']`,
  ].join('\n');
}

interface ShownKey {
  person: string;
  publicKey?: string;
  file: string;
  /** Why it cannot be used. */
  problem?: string;
}

async function keysHere(cli: Cli, only: string | undefined): Promise<ShownKey[]> {
  const people = only === undefined ? await peopleHere(cli.environment) : [checkedPerson(only)];
  if (people.length === 0)
    throw new Problem(
      'notFound',
      `No key lies in ${keyFolder(cli.environment)}. Make one: lifeboat keys create --person NAME`,
    );
  const shown: ShownKey[] = [];
  for (const person of people) shown.push(await keyHere(cli, person));
  return shown;
}

async function keyHere(cli: Cli, person: string): Promise<ShownKey> {
  const file = keyFileOf(cli.environment, person);
  try {
    const key = await readKeyFile(file, (question) => passphrase(cli, question));
    if (key === undefined) return { person, file, problem: `There is no key ${file}.` };
    return { person, publicKey: publicLine(key), file };
  } catch (error) {
    if (error instanceof Problem) return { person, file, problem: error.message };
    throw error;
  }
}

function shownInWords({ person, publicKey, file, problem }: ShownKey): string {
  return `${person}  ${publicKey === undefined ? problem : `${publicKey}  (${file})`}`;
}
