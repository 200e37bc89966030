/** A person's private key: a PEM file that only its owner may read. */
import type { KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { drawKey, publicLine, readPrivateKey } from '../../activities/people/keys.ts';
import { Problem } from '../problem.ts';

/** Asks for the passphrase of an encrypted key; `undefined` where nobody can answer. */
export type AskPassphrase = (question: string) => Promise<string | undefined>;

const forOwnerOnly = 0o600;

/**
 * Draws a new key and writes it, encrypted where there is a passphrase.
 *
 * @returns the public half, as a plan writes it
 * @throws Problem when something lies there already: a key that is overwritten is lost
 */
export async function createKeyFile(file: string, passphrase: string | undefined): Promise<string> {
  const key = drawKey();
  const encrypted = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  await write(file, key.export({ type: 'pkcs8', format: 'pem', ...encrypted }));
  return publicLine(key);
}

async function write(file: string, pem: string | Buffer): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'wx', forOwnerOnly);
    try {
      await handle.writeFile(pem);
      await handle.sync();
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      throw new Problem(
        'badInput',
        `${file} exists already, and a key that is overwritten is lost. Show it with "lifeboat keys show", write the new one elsewhere with --out, or move the old one away first.`,
      );
    throw new Problem('badInput', `The key cannot be written to ${file}: ${wordsOf(error)}.`);
  }
}

/**
 * Reads a private key.
 *
 * @returns `undefined` when there is no such file
 * @throws Problem when others may read it, when it is no Ed25519 key, when its passphrase is wrong or cannot be asked for
 */
export async function readKeyFile(file: string, askPassphrase: AskPassphrase): Promise<KeyObject | undefined> {
  const encrypted = await isEncrypted(file);
  if (encrypted === undefined) return undefined;
  const passphrase = encrypted ? await askPassphrase(`Passphrase of ${file}: `) : undefined;
  if (encrypted && passphrase === undefined)
    throw new Problem(
      'badInput',
      `${file} is encrypted, and nobody can be asked for its passphrase here: set LIFEBOAT_KEY_PASSPHRASE.`,
    );
  try {
    return await readPrivateKey(file, passphrase);
  } catch (error) {
    throw new Problem('badInput', wordsOf(error));
  }
}

async function isEncrypted(file: string): Promise<boolean | undefined> {
  try {
    return (await readFile(file, 'utf8')).includes('ENCRYPTED PRIVATE KEY');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Problem('badInput', `The key ${file} cannot be read: ${wordsOf(error)}.`);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
