import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical, sha256, shortCode, typedCode } from '../../../evidence/canonical.ts';
import { inputHash } from '../../../evidence/statements.ts';

test('the hash is SHA-256 as everybody else computes it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(sha256(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }),
  );
});

test('the order of keys does not matter, and what travels as JSON arrives as the same text', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      expect(canonical(turned)).toBe(canonical(value));
      expect(canonical(JSON.parse(JSON.stringify(value)))).toBe(canonical(value));
    }),
  );
});

test('what is signed of an input is all of it but the signature', () => {
  const input = { service: 'orders', mode: 'live', to: undefined };
  const signature = { as: 'person', key: 'k', value: 'v' };
  expect(inputHash({ ...input, requestSignature: signature })).toBe(inputHash({ mode: 'live', service: 'orders' }));
  expect(inputHash({ ...input, mode: 'dry-run' })).not.toBe(inputHash(input));
});

test('a code is eight characters that are not taken for each other, and is understood however it is typed', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const code = shortCode(text);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{8}$/);
      const typed = `${code.slice(0, 4)}-${code.slice(4)} `.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
      expect(typedCode(typed)).toBe(code);
    }),
  );
});
