/** restic: how it is run, and what its words mean. Its key and those of the store come by its environment: no argument and no file holds them. */
import { ApplicationFailure } from '@temporalio/common';
import { type Ended, type RunOptions, runTool } from '../child.ts';
import type { Files } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';

export const program = 'restic';

/** It tries again by itself for a quarter of an hour, without a word that counts: a question is given up before. */
const answerWithinMs = 60_000;

export interface Asking extends RunOptions {
  /** Others may work in the repository meanwhile, and a lock that somebody has left is no reason not to read. */
  reads: boolean;
}

/** @returns what it wrote, whatever its exit code, without any of its secrets */
export async function ask(files: Files, words: string[], { reads, ...options }: Asking): Promise<Ended> {
  const { env, veiled } = await environmentOf(files);
  const all = [...words, ...usualWords(files, reads)];
  const ended = await orSayHowToInstall(() =>
    runTool(program, all, { withinMs: answerWithinMs, ...options, env: { ...options.env, ...env } }),
  );
  return { code: ended.code, stdout: veiled(ended.stdout), stderr: veiled(ended.stderr) };
}

/** Options that every command takes. */
export function usualWords({ caFile }: Files, reads: boolean): string[] {
  return [
    '--json',
    // What lies in a cache is not what lies in the repository, and a worker's user may have no home to keep one in.
    '--no-cache',
    ...(reads ? ['--no-lock'] : []),
    ...(caFile === undefined ? [] : ['--cacert', caFile]),
  ];
}

export interface Environment {
  env: Record<string, string>;
  /** Takes the secrets out of a text. */
  veiled(text: string): string;
}

/** Variables of the worker's own that would lead it astray are emptied. */
export async function environmentOf(files: Files): Promise<Environment> {
  const [password, accessKeyId, secretAccessKey] = await Promise.all(
    [files.password, files.accessKeyId, files.secretAccessKey].map(resolveSecret),
  );
  const secrets = [password, secretAccessKey].filter((one) => one !== undefined);
  return {
    env: {
      ...Object.fromEntries(foreign.map((name) => [name, ''])),
      RESTIC_REPOSITORY: files.repository,
      RESTIC_PASSWORD: password ?? '',
      AWS_ACCESS_KEY_ID: accessKeyId ?? '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey ?? '',
      // One line a second at the most.
      RESTIC_PROGRESS_FPS: '1',
    },
    veiled: (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text),
  };
}

const foreign = [
  'RESTIC_PASSWORD_FILE',
  'RESTIC_PASSWORD_COMMAND',
  'RESTIC_REPOSITORY_FILE',
  'RESTIC_KEY_HINT',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
];

/** Runs restic; where it is not there, says what to do. */
export async function orSayHowToInstall<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === 'NotPermitted')
      throw failure(
        'NotPermitted',
        `${program} cannot be run on this host; expected it on the PATH of its worker. Install it: the package restic (Debian, Ubuntu, Fedora, Homebrew).`,
        error,
      );
    throw error;
  }
}

/** Who has to act, by what restic said; undefined where its words are about the work itself. */
export function repositoryFailure(files: Files, words: string): Error | undefined {
  const place = `the repository ${files.repository}`;
  if (/wrong password or no key found/i.test(words))
    return failure(
      'KeyLost',
      `${place} does not open with ${files.password} (wrong password or no key found). Expected its key; without it nothing in there can be read. Correct the secret on ${files.host}.`,
    );
  if (
    /Access ?Denied|InvalidAccessKeyId|SignatureDoesNotMatch|Access Key Id you provided|request signature we calculated|\b403\b/i.test(
      words,
    )
  )
    return failure(
      'StoreRefused',
      `the store of ${place} refuses ${files.accessKeyId}: ${lastWords(words)}. Correct the keys, or what they may do.`,
    );
  if (/unable to create lock|already locked/i.test(words))
    return failure(
      'BackupFailed',
      `${place} is locked: ${lastWords(words)}. Wait for whoever works there; where nobody does any more: restic unlock.`,
    );
  if (/certificate|x509/i.test(words))
    return failure(
      'StoreRefused',
      `the store of ${place} does not show a certificate that is trusted here: ${lastWords(words)}. Correct caFile in the plan, or the store.`,
    );
  if (
    /dial tcp|connection refused|no such host|i\/o timeout|EOF|no answer within|server misbehaving|reset by peer/i.test(
      words,
    )
  )
    return failure(
      'StoreUnreachable',
      `${place} does not answer: ${lastWords(words)}. See whether the store runs and can be reached from ${files.host}.`,
    );
  if (/unable to open config file|specified (key|bucket) does not exist|NoSuchBucket/i.test(words))
    return failure(
      'BackupMissing',
      `there is no repository at ${files.repository} (${lastWords(words)}). Correct the plan, or make one: restic init, with the key that the plan names (docs/files.md).`,
    );
  return undefined;
}

/** The end of what it said, on one line. */
export function lastWords(words: string, count = 3): string {
  const lines = words
    .split('\n')
    // Where in its own source it was.
    .filter((line) => !line.startsWith('\t'))
    .map((line) => messageIn(line.trim()))
    .filter((line) => line !== '' && !/^(Is there a repository|s3:|repository .* opened)/.test(line) && !isTrace(line));
  return lines.slice(-count).join('; ').slice(0, 500) || 'it said nothing';
}

/** As Go writes where it was: `github.com/restic/restic/internal/walker.walk`, `main.runLs`. */
function isTrace(line: string): boolean {
  return /^[\w./()*-]+\.[\w.()*]+$/.test(line) && /^(github\.com|main|runtime)/.test(line);
}

/** With --json it says some things as JSON, and others not. */
function messageIn(line: string): string {
  if (!line.startsWith('{')) return line;
  const said = parsed(line);
  if (said === undefined) return line;
  if (said.message_type === 'status' || said.message_type === 'verbose_status') return '';
  const { error, item } = said;
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : undefined;
  return message === undefined ? line : `${item === undefined ? '' : `${String(item)}: `}${message}`;
}

/** One line of JSON; undefined where it is none. */
export function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** @throws the failure that its words mean, or `otherwise` */
export function throwFor(
  files: Files,
  { stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>,
  otherwise: (words: string) => Error,
): never {
  // A listing can be long, and says nothing of what went wrong.
  const words = `${stderr}\n${stdout.slice(-4_000)}`;
  throw repositoryFailure(files, words) ?? otherwise(lastWords(words));
}
