/** Values as one text, whoever writes them down, and what is made of that text for people to compare. */
import { sha256 as digest } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import stringify from 'safe-stable-stringify';

/** JSON with sorted keys. What is `undefined` in an object does not stand in it, as in any JSON. */
export function canonical(value: unknown): string {
  return stringify(value) ?? 'null';
}

/** Of the text's UTF-8, hexadecimal. Written in JavaScript: a workflow has no other. */
export function sha256(text: string): string {
  return bytesToHex(digest(utf8ToBytes(text)));
}

// Crockford's: without I, L, O and U, which are read as 1, 1, 0 and V.
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Eight characters, 40 bits: for people to compare and type. Not a secret. */
export function shortCode(text: string): string {
  // 256 is a multiple of 32: each letter is as likely as the next.
  return [...digest(utf8ToBytes(text)).subarray(0, 8)].map((byte) => letters[byte % 32]).join('');
}

/** A code as somebody has typed it: in small letters, with hyphens, with an O for a 0. */
export function typedCode(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/[IL]/g, '1')
    .replace(/O/g, '0');
}
