/** Ed25519 keys that people and the gateway sign with: drawing, reading, signing. Nothing here leaves the process but signatures. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Signature, type Statement, statementText } from '../../evidence/signing.ts';
import { failure } from '../failure.ts';

export function drawKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** The public half, as the plan writes it: `ed25519:<base64 of 32 raw bytes>`. */
export function publicLine(key: KeyObject): string {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return `ed25519:${Buffer.from(x, 'base64url').toString('base64')}`;
}

export function signed(statement: Statement, key: KeyObject, as: Signature['as']): Signature {
  const value = sign(null, Buffer.from(statementText(statement)), key).toString('base64');
  return { as, key: publicLine(key), value };
}

/**
 * A private key in PEM.
 *
 * @throws SecretMissing it is not there, is no such key, or others than its owner may read it: then it may be known already
 */
export async function readPrivateKey(file: string, passphrase?: string): Promise<KeyObject> {
  const text = await readOwn(file);
  let key: KeyObject;
  try {
    key = createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch {
    const hint = text.includes('ENCRYPTED') ? ' It is encrypted: is the passphrase right?' : '';
    throw failure('SecretMissing', `${file} holds no private key in PEM.${hint} Make one with lifeboat keys create.`);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw failure(
      'SecretMissing',
      `${file} holds a key of the kind ${key.asymmetricKeyType}, not Ed25519. Make one with lifeboat keys create.`,
    );
  return key;
}

async function readOwn(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    // Of a key that others could read nobody knows any more whose signatures it makes.
    if ((mode & 0o077) !== 0)
      throw failure(
        'SecretMissing',
        `${file} can be read by others (mode ${(mode & 0o777).toString(8)}). Draw a new key, and keep it with chmod 600.`,
      );
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw failure('SecretMissing', `the key ${file} cannot be read: ${error.message}. Name the right file.`);
  }
}
