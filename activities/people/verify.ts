/** Signatures of people and of the gateway: Ed25519, as Node has it. */
import { createPublicKey, verify } from 'node:crypto';
import type { ControlReads } from '../contract.ts';

const prefix = 'ed25519:';
const keyBytes = 32;
const signatureBytes = 64;

/** Whether the key has signed exactly this text. Whose key it is says the plan. A key or a signature that is none has signed nothing. */
export const verifySignature: ControlReads['verifySignature'] = async ({ text, signature }) => {
  const holds = fits(text, signature.key, signature.value);
  return { holds, found: holds ? `signed with ${signature.key}` : `not signed with ${signature.key}` };
};

function fits(text: string, key: string, value: string): boolean {
  const raw = Buffer.from(key.slice(prefix.length), 'base64');
  const signature = Buffer.from(value, 'base64');
  if (!key.startsWith(prefix) || raw.length !== keyBytes || signature.length !== signatureBytes) return false;
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
    return verify(null, Buffer.from(text, 'utf8'), createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}
