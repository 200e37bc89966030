/** Signatures as the CLI and the gateway make them, on real keys. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifySignature } from '../../../activities/people/verify.ts';
import { type Statement, signedFields, statementText } from '../../../evidence/signing.ts';

const statement: Statement = {
  kind: 'approve',
  run: 'orders-0007',
  runId: 'b2b0',
  about: 'database/switch-the-primary',
  bound: 'ab12:cd34',
  choice: 'approve',
  value: '',
  by: 'ana',
  reason: 'seen\nby ana',
};

function keyPair(): { key: string; secret: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { key: `ed25519:${Buffer.from(x, 'base64url').toString('base64')}`, secret: privateKey };
}

const ana = keyPair();
const signed = (text: string, { key, secret } = ana) => ({
  as: 'person' as const,
  key,
  value: sign(null, Buffer.from(text), secret).toString('base64'),
});

test('what a key has signed, it has signed', async () => {
  const text = statementText(statement);
  expect(await verifySignature({ text, signature: signed(text) })).toMatchObject({ holds: true });
});

test.each(signedFields)('a signature does not hold for another "%s"', async (field) => {
  const signature = signed(statementText(statement));
  const other = { ...statement, [field]: `${statement[field]}x` } as Statement;
  expect(await verifySignature({ text: statementText(other), signature })).toMatchObject({ holds: false });
});

test('one key does not sign for another', async () => {
  const text = statementText(statement);
  const signature = { ...signed(text, keyPair()), key: ana.key };
  expect(await verifySignature({ text, signature })).toMatchObject({ holds: false });
});

test.each([
  ['no key', { key: '' }],
  ['a key of another kind', { key: ana.key.replace('ed25519', 'rsa') }],
  ['a short key', { key: 'ed25519:AAAA' }],
  ['a point that is not on the curve', { key: `ed25519:${Buffer.alloc(32, 0xff).toString('base64')}` }],
  ['no signature', { value: '' }],
  ['a short signature', { value: 'AAAA' }],
  ['a signature of zeros', { value: Buffer.alloc(64).toString('base64') }],
])('%s has signed nothing, and breaks nothing', async (_what, wrong) => {
  const text = statementText(statement);
  expect(await verifySignature({ text, signature: { ...signed(text), ...wrong } })).toMatchObject({ holds: false });
});
