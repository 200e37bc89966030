/** Secrets are read where they are needed, when they are needed, and go nowhere else: no result, history, log or message holds one. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { howToNameSecrets, secretSource } from '../plan/secret-name.ts';
import { failure } from './failure.ts';
import type { Found } from './shapes.ts';

/**
 * The secret that a name of the plan stands for, without a line break at its end.
 *
 * @param name `${env:NAME}` or `${file:/path}`
 * @throws SecretMissing says which one and on which machine, never its value
 */
export async function resolveSecret(name: string): Promise<string> {
  const found = await read(name);
  if ('missing' in found) throw failure('SecretMissing', found.missing);
  return found.value;
}

/**
 * Whether all of them resolve on this worker. Reads them and forgets them.
 *
 * @throws SecretMissing names every one that does not
 */
export async function resolveSecrets({ names }: { names: string[] }): Promise<Found> {
  const results = await Promise.all(names.map(read));
  const missing = results.flatMap((result) => ('missing' in result ? [result.missing] : []));
  if (missing.length > 0) throw failure('SecretMissing', missing.join(' '));
  const found = names.length === 1 ? 'the secret resolves' : `all ${names.length} secrets resolve`;
  return { found: `${found} on ${hostname()}`, expected: 'every secret that the plan names' };
}

async function read(name: string): Promise<{ value: string } | { missing: string }> {
  const source = secretSource(name);
  // What names nothing may itself be a secret: it is not shown.
  if (source === undefined) return { missing: `A secret of the plan is not named as one: ${howToNameSecrets}.` };
  const value = source.from === 'env' ? process.env[source.name] : await fromFile(source.path);
  const where = `on ${hostname()} (pid ${process.pid}, uid ${process.getuid?.() ?? 'unknown'})`;
  if (typeof value === 'object')
    return { missing: `${name} cannot be read ${where}: ${value.why}. The worker that runs there must be able to.` };
  const trimmed = value?.replace(/\r?\n$/, '');
  if (trimmed !== undefined && trimmed !== '') return { value: trimmed };
  const what = value === undefined ? 'is not set' : 'is empty';
  const act = source.from === 'env' ? 'Set it in the environment of the worker.' : 'Write the secret into the file.';
  return { missing: `${name} ${what} ${where}. ${act}` };
}

async function fromFile(path: string): Promise<string | { why: string }> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { why: 'there is no such file' };
    if (code === 'EACCES') return { why: 'this user may not read it' };
    return { why: error instanceof Error ? error.message : 'reading failed' };
  }
}
