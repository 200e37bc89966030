import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { publicLine } from '../../../activities/people/keys.ts';
import { type Estate, stage } from './stage.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'keys-'));
});
afterEach(() => rm(home, { recursive: true }));

const file = (person: string) => join(home, 'lifeboat', `${person}.key`);

function at(estate: Estate = {}) {
  return stage({ ...estate, environment: { XDG_CONFIG_HOME: home, ...estate.environment } });
}

test('a new key is its owner’s alone, and its public half is printed as the plan writes it', async () => {
  const on = at();
  await on.type('keys', 'create', '--person', 'ana');
  const printed = on.out.join('\n');
  expect(printed).toMatch(/^ed25519:[A-Za-z0-9+/]{43}=\n/);
  expect(printed).toContain('persons:');
  expect((await stat(file('ana'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, 'lifeboat'))).mode & 0o777).toBe(0o700);
  expect(printed.split('\n')[0]).toBe(publicLine(createPrivateKey(await readFile(file('ana')))));
  expect(on.code()).toBe(0);
});

test('a key is named after whoever makes it, but not after root, whom several people are', async () => {
  await at({ environment: { USER: 'ben' } }).type('keys', 'create');
  expect((await stat(file('ben'))).isFile()).toBe(true);
  const on = at({ environment: { USER: 'root' } });
  await on.type('keys', 'create');
  expect(on.messages.join()).toContain('--person');
  expect(on.code()).toBe(2);
});

test('a key is never overwritten', async () => {
  await at().type('keys', 'create', '--person', 'ana');
  const before = await readFile(file('ana'));
  const on = at();
  await on.type('keys', 'create', '--person', 'ana');
  expect(on.code()).toBe(2);
  expect(on.messages.join()).toContain('exists already');
  expect(await readFile(file('ana'))).toEqual(before);
});

test('show prints what create has printed, as JSON too', async () => {
  const made = at();
  await made.type('keys', 'create', '--person', 'ana', '--json');
  const { publicKey } = JSON.parse(made.out.join(''));
  const shown = at();
  await shown.type('keys', 'show', '--json');
  expect(JSON.parse(shown.out.join(''))).toEqual([{ person: 'ana', publicKey, file: file('ana') }]);
});

test('a passphrase encrypts the key: from the environment, or asked for twice', async () => {
  await at({ environment: { LIFEBOAT_KEY_PASSPHRASE: 'deep water' } }).type('keys', 'create', '--person', 'ana');
  await at({ passphrases: ['deep water', 'deep water'] }).type('keys', 'create', '--person', 'ben', '--passphrase');
  for (const person of ['ana', 'ben'])
    expect(await readFile(file(person), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
  const shown = at({ passphrases: ['deep water', 'deep water'] });
  await shown.type('keys', 'show');
  expect(shown.out.join('\n')).toMatch(/^ana {2}ed25519:.*\nben {2}ed25519:/);
});

test('two passphrases that differ make no key', async () => {
  const on = at({ passphrases: ['deep water', 'deep watre'] });
  await on.type('keys', 'create', '--person', 'ana', '--passphrase');
  expect(on.messages.join('\n')).toContain('differ');
  await expect(stat(file('ana'))).rejects.toThrow('ENOENT');
});

test('a wrong passphrase, or nobody to ask for one, is said', async () => {
  await at({ environment: { LIFEBOAT_KEY_PASSPHRASE: 'deep water' } }).type('keys', 'create', '--person', 'ana');
  const wrong = at({ passphrases: ['shallow water'] });
  await wrong.type('keys', 'show', '--person', 'ana');
  expect(wrong.out.join()).toContain('passphrase');
  const nobody = at();
  await nobody.type('keys', 'show', '--person', 'ana');
  expect(nobody.out.join()).toContain('LIFEBOAT_KEY_PASSPHRASE');
  expect([wrong.code(), nobody.code()]).toEqual([2, 2]);
});

test.each([0o640, 0o604, 0o622])('a key that others may touch (%o) is refused', async (mode) => {
  await at().type('keys', 'create', '--person', 'ana');
  await chmod(file('ana'), mode);
  const on = at();
  await on.type('keys', 'show');
  expect(on.out.join()).toContain('others');
  expect(on.out.join()).not.toContain('ed25519:');
  expect(on.code()).toBe(2);
});

test('a key of another kind, and a file that is no key, are refused', async () => {
  await at().type('keys', 'create', '--person', 'ana');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(file('ana'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const other = at();
  await other.type('keys', 'show');
  expect(other.out.join()).toContain('Ed25519');
  await writeFile(file('ana'), 'ana');
  const none = at();
  await none.type('keys', 'show');
  expect(none.out.join()).toContain('no private key');
  expect([other.code(), none.code()]).toEqual([2, 2]);
});

test.each(['../../etc/passwd', 'Ana', 'ana lee', ''])('%j is no person’s short name', async (person) => {
  const on = at();
  await on.type('keys', 'create', '--person', person);
  expect(on.code()).toBe(2);
});

test('without any key, show says how to make one', async () => {
  const on = at();
  await on.type('keys', 'show');
  expect(on.messages.join()).toContain('lifeboat keys create');
  expect(on.code()).toBe(5);
});
