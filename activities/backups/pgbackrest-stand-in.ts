/**
 * pgBackRest gives out archived WAL only beside a data directory: it compares the system identifier in that one's pg_control with the
 * archive's own. On an empty host there is none, so a file stands in for it that says what the repository says of itself.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { dirname, join } from 'node:path';
import { runTool } from '../child.ts';
import { failure } from '../failure.ts';
import { loadPermit } from '../permit.ts';
import { exists, writeWhole } from '../postgres/scratch.ts';

/** A directory with nothing but this file, for `--pg1-path`. Safe to repeat. @returns the directory */
export async function standInFor(systemIdentifier: string, beside: string): Promise<string> {
  const directory = join(beside, 'stand-in');
  const file = join(directory, 'global/pg_control');
  if (await exists(file)) return directory;
  const made = join(beside, 'stand-in.made');
  try {
    await rm(made, { recursive: true, force: true });
    const { postgresql } = await loadPermit();
    const words = ['-D', made, '-U', 'postgres', '-A', 'trust', '--locale=C', '--no-sync', '--no-instructions'];
    const { code, stderr } = await runTool(join(postgresql, 'initdb'), words);
    if (code !== 0)
      throw failure(
        'RestoreFailed',
        `this host has no data directory, and initdb, which would make a pg_control to read the archive with, failed (exit ${code}): ${stderr.trim().slice(-300)}`,
      );
    const control = await readFile(join(made, 'global/pg_control'));
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeWhole(file, withIdentifier(control, BigInt(systemIdentifier)));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return directory;
}

/**
 * The identifier is the first field, and the checksum of all before it the last. Where that lies depends on the version: it is found by
 * what it says. @see PostgreSQL source, ControlFileData in src/include/catalog/pg_control.h
 */
export function withIdentifier(control: Buffer, identifier: bigint): Buffer {
  const little = endianness() === 'LE';
  const read = (at: number) => (little ? control.readUInt32LE(at) : control.readUInt32BE(at));
  const end = checksumAt(control, read);
  if (end === undefined)
    throw failure('Bug', 'the pg_control of this version of PostgreSQL has no checksum where one was looked for');
  const changed = Buffer.from(control);
  if (little) changed.writeBigUInt64LE(identifier, 0);
  else changed.writeBigUInt64BE(identifier, 0);
  const sum = crc32c(changed, end);
  if (little) changed.writeUInt32LE(sum, end);
  else changed.writeUInt32BE(sum, end);
  return changed;
}

/** PostgreSQL keeps the file within one sector of a disk. */
const longest = 512;

function checksumAt(control: Buffer, read: (at: number) => number): number | undefined {
  for (let at = 64; at < Math.min(longest, control.length - 4); at += 4)
    if (crc32c(control, at) === read(at)) return at;
  return undefined;
}

/** Castagnoli's polynomial, reflected. */
const polynomial = 0x82f63b78;

export function crc32c(bytes: Uint8Array, length: number): number {
  let sum = 0xffffffff;
  for (const byte of bytes.subarray(0, length)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ polynomial : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
