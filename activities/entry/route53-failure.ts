/** What went wrong with Route 53, in one sentence that says whose move it is. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Route53Entry } from '../../plan/entry.ts';
import { failure } from '../failure.ts';

const wrongKey = new Set([
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'ExpiredToken',
  'ExpiredTokenException',
  'MissingAuthenticationToken',
]);
const later = new Set(['Throttling', 'ThrottlingException', 'PriorRequestNotComplete', 'TooManyRequestsException']);
const wrongClock = new Set(['RequestExpired', 'RequestTimeTooSkewed']);

/** Failures that already are ours pass unchanged. */
export function route53Failure(error: unknown, entry: Route53Entry): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const { name, code, status, message } = look(error);
  const place = `Route 53${entry.endpoint === undefined ? '' : ` at ${entry.endpoint}`}`;
  const refused = (words: string) => failure('EntryRefused', `${place} ${words}`, error);
  if (later.has(name) || status === 429)
    return failure(
      'EntryUnreachable',
      `${place} asks to come again later (${name}): it answers five questions a second of the whole account. Trying again is safe.`,
      error,
    );
  if (wrongClock.has(name))
    return failure(
      'ClockSkewed',
      `${place} finds the clock of this worker wrong (${name}, ${new Date().toISOString()}): synchronise it (chronyc tracking).`,
      error,
    );
  if (wrongKey.has(name))
    return refused(
      `refuses the key (${name}): compare the secrets ${entry.accessKeyId} and ${entry.secretAccessKey} with the account's own.`,
    );
  if (name === 'NoSuchHostedZone')
    return refused(`has no hosted zone ${entry.zoneId}: correct entry.zoneId in the plan, or the account of the key.`);
  if (status === 403)
    return refused(
      `does not permit this (${name}): let the key use route53:ListResourceRecordSets and route53:ChangeResourceRecordSets on the hosted zone ${entry.zoneId}, and route53:GetChange.`,
    );
  if (status !== undefined && status >= 400 && status < 500 && status !== 408)
    return refused(`refuses the request (${name}: ${message.slice(0, 300)}).`);
  return failure(
    'EntryUnreachable',
    `${place} ${whyUnreachable(name, code, status)}. See whether it can be reached from this worker; trying again is safe.`,
    error,
  );
}

function look(error: unknown): { name: string; code: string; status: number | undefined; message: string } {
  if (!(error instanceof Error)) return { name: 'unknown', code: '', status: undefined, message: String(error) };
  const { code, $metadata } = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return {
    name: error.name,
    code: typeof code === 'string' ? code : '',
    status: $metadata?.httpStatusCode,
    message: error.message,
  };
}

function whyUnreachable(name: string, code: string, status: number | undefined): string {
  if (code === 'ECONNREFUSED') return 'refuses connections';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'cannot be found: its name does not resolve';
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'did not answer in time';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'broke off the connection';
  if (status !== undefined && status >= 500) return `answers ${status} (${name})`;
  return `does not answer as expected (${name})`;
}
