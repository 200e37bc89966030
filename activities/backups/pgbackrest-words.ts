/**
 * What pgBackRest says, and what it means. Its exit code is the kind of the error, its words say where it comes from.
 *
 * @see pgBackRest source, src/build/error/error.yaml
 */
import type { FailureType } from '../../evidence/failures.ts';
import { failure } from '../failure.ts';

export interface Said {
  /** `restore`, `info`: what it was asked to do. */
  command: string;
  code: number;
  /** stdout and stderr, or the end of its log. */
  output: string;
  config: string;
  stanza: string;
}

/** 26 checksum, 28 file-invalid, 29 format, 44 archive-mismatch, 95 crypto, 99 json-format. */
const damagedCodes = [26, 28, 29, 44, 95, 99];
const damagedWords =
  /\[(Checksum|FileInvalid|Format|ArchiveMismatch|Crypto|JsonFormat)Error\]|checksum|(zst|lz4|gz|bz2) error|unable to flush|cipher header invalid|unexpected eof in compressed data/i;
/** 27 config, 30 to 37 options, 43 and 96 parameters, 46 version, 48 command. */
const configurationCodes = [27, 30, 31, 32, 33, 34, 35, 36, 37, 43, 46, 48, 96];
/** 56 db-connect, 57 db-query. */
const databaseCodes = [56, 57];
const awayWords =
  /\[(HostConnect|Service|Protocol)Error\]|unable to connect to|unable to get address|timeout|HTTP request failed|connection (reset|closed)|unexpected eof(?! in compressed)|invalid xml|TLS|50[0-9] \(/i;
const fullWords = /No space left on device|\[28\] |Disk quota exceeded/;

/**
 * The failure behind an error of pgBackRest.
 *
 * @param otherwise type of what is not recognised, and of what points to damaged files
 */
export function meaningOf(said: Said, types: { otherwise: FailureType; damaged: FailureType }): Error {
  const words = firstWords(said.output);
  const did = `pgbackrest ${said.command} of stanza ${said.stanza}`;
  if (fullWords.test(said.output))
    return failure('DiskFull', `${did} ran out of room: ${words}. Make room, or choose another directory in the plan.`);
  // Its words ("unable to connect", "timeout") are also those of a store that is away.
  if (databaseCodes.includes(said.code) || /\[Db(Connect|Query)Error\]/.test(words))
    return failure(
      'DatabaseUnreachable',
      `${did} lost the database: ${words}. See whether the server runs and has connections left.`,
    );
  if (/is not later than latest backup label/.test(said.output))
    return failure(
      'ClockSkewed',
      `${did} was refused: ${words}. The clock of this host, or of the one that took the latest backup, is wrong: correct it (chronyc tracking), then take the backup again.`,
    );
  const store = refusalOf(said) ?? outageOf(said);
  if (store !== undefined) return store;
  if (configurationCodes.includes(said.code))
    return failure('PlanInvalid', `${did} was refused: ${words}. Correct ${said.config}.`);
  if (damagedCodes.includes(said.code) || damagedWords.test(said.output))
    return failure(types.damaged, `${did} met damaged data: ${words}`);
  return failure(types.otherwise, `${did} ended with code ${said.code}: ${words}`);
}

/** The store answers, and says no. One sentence: which key, which bucket, and where to correct it. */
function refusalOf({ output, config }: Said): Error | undefined {
  if (/certificate is not yet valid/i.test(output))
    return failure(
      'ClockSkewed',
      `by the clock of this host the certificate of the object store is not valid now: ${firstWords(output)}. Correct the clock (chronyc tracking).`,
    );
  if (/certificate has expired/i.test(output))
    return failure('StoreRefused', `the certificate of the object store has expired: ${firstWords(output)}. Renew it.`);
  if (/wrong version number/i.test(output))
    return failure(
      'StoreRefused',
      `the object store does not speak TLS there: ${firstWords(output)}. Correct repo1-s3-endpoint or repo1-storage-port in ${config}, or find out who answers in its place.`,
    );
  if (/unable to verify certificate|unable to find hostname .* in certificate|unable to set .* CA/i.test(output))
    return failure(
      'StoreRefused',
      `the certificate of the object store is not trusted: ${firstWords(output)}. Correct repo1-storage-ca-file in ${config}.`,
    );
  const status = /HTTP request failed with (\d+) \(([^)]*)\)/.exec(output);
  if (status === null) return undefined;
  const code = /<Code>([^<]*)<\/Code>/.exec(output)?.[1] ?? '';
  const said = /<Message>([^<]*)<\/Message>/.exec(output)?.[1] ?? status[2] ?? '';
  const host = /^\s*host: (\S+)/m.exec(output)?.[1] ?? 'its endpoint';
  const answer = `${status[1]}${code === '' ? '' : ` ${code}`}: ${said}`;
  if (/TooSkewed/.test(code))
    return failure(
      'ClockSkewed',
      `the object store at ${host} refuses what this host asks, because their clocks differ too much (${answer}). Correct the clock of this host (chronyc tracking), or of the store.`,
    );
  if (/NoSuchBucket/.test(code))
    return failure(
      'StoreRefused',
      `the object store at ${host} has no bucket "${bucketOf(output)}" (${answer}). Create it, or correct repo1-s3-bucket in ${config}.`,
    );
  if (status[1] === '403' || status[1] === '401' || /AccessKey|AccessDenied|Signature|UserNotFound/i.test(code))
    return failure(
      'StoreRefused',
      `the object store at ${host} refuses the key (${answer}). Correct repo1-s3-key and repo1-s3-key-secret in ${config}, or give the key the right to this bucket.`,
    );
  if (status[1] === '404')
    return failure('StoreRefused', `the object store at ${host} does not know what it was asked for (${answer}).`);
  return undefined;
}

function bucketOf(output: string): string {
  return (
    /<BucketName>([^<]*)</.exec(output)?.[1] ?? /\n\s*(?:GET|PUT|HEAD|POST) \/([^/?\s]*)/.exec(output)?.[1] ?? 'unknown'
  );
}

function outageOf({ output, code }: Said): Error | undefined {
  if (code !== 49 && code !== 101 && code !== 124 && !awayWords.test(output)) return undefined;
  return failure(
    'ArchiveUnreachable',
    `the backup repository does not answer: ${firstWords(output)}. Expected an answer; see whether the object store and the way to it are up.`,
  );
}

/** Its first error as one line, without the time, the retries and the HTTP headers. */
export function firstWords(output: string): string {
  const text = output.replace(/^[\d:. -]+P\d\d\s+/gm, '');
  const [, found] = /(?:ERROR: |\[\w+Error\] )((?:.|\n {4,})*)/.exec(text) ?? [];
  return (found ?? text)
    .replace(/raised from \S+ \S+: /, '')
    .replace(/\n\s*(\*\*\* |\[\w+Error\] on retry|HINT)[\s\S]*$/, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
}
