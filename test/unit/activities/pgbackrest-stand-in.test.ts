import { expect, test } from 'vitest';
import { crc32c, withIdentifier } from '../../../activities/backups/pgbackrest-stand-in.ts';

/** With a checksum after `length` bytes, as a server on such a machine would write it. */
function control(length: number): Buffer {
  const file = Buffer.alloc(8192);
  for (let at = 0; at < length; at += 1) file[at] = (at * 7 + 3) % 251;
  file.writeUInt32LE(crc32c(file, length), length);
  return file;
}

test('the checksum is the one that PostgreSQL writes', () => {
  expect(crc32c(Buffer.from('123456789'), 9)).toBe(0xe3069283);
});

test.each([280, 288, 296])('a pg_control whose checksum lies at %i says another identifier, and is whole', (length) => {
  const before = control(length);
  const after = withIdentifier(before, 7_578_431_204_918_273_645n);
  expect(after.readBigUInt64LE(0)).toBe(7_578_431_204_918_273_645n);
  expect(after.readUInt32LE(length)).toBe(crc32c(after, length));
  expect(after.subarray(8, length)).toEqual(before.subarray(8, length));
  expect(before).toEqual(control(length));
});

test('one whose checksum is nowhere is not written', () => {
  expect(() => withIdentifier(Buffer.alloc(8192, 1), 7n)).toThrow('no checksum');
});
