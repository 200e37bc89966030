/** What went wrong with the object store, in one sentence that says whose move it is. */
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';

const wrongKey = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'InvalidClientTokenId',
  // versitygw's word for an unknown key.
  'XAdminUserNotFound',
]);
const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

interface Seen {
  name: string;
  /** Node's code: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  code: string;
  status: number | undefined;
  message: string;
}

/**
 * StoreRefused for what a retry does not help (key, bucket, permission, certificate, clock); StoreUnreachable for the rest.
 * Failures that already are ours pass unchanged.
 */
export function storeFailure(error: unknown, store: EvidenceStore): Error {
  if (error instanceof Error && error.name === 'ApplicationFailure') return error;
  const seen = look(error);
  const refusal = refusalOf(seen, store);
  const place = `the evidence store ${store.endpoint}`;
  // No waiting makes it valid, short of the clock's own error.
  if (seen.code === 'CERT_NOT_YET_VALID')
    return failure(
      'ClockSkewed',
      `${place} shows a certificate that is not valid yet by the clock of this worker (${new Date().toISOString()}): correct the clock (chronyc tracking).`,
      error,
    );
  if (refusal !== undefined) return failure('StoreRefused', `${place} ${refusal}`, error);
  return failure(
    'StoreUnreachable',
    `${place} ${whyUnreachable(seen)}; expected bucket "${store.bucket}" there. See whether it runs and can be reached from this worker.`,
    error,
  );
}

function look(error: unknown): Seen {
  if (!(error instanceof Error)) return { name: 'unknown', code: '', status: undefined, message: String(error) };
  const { code, $metadata } = error as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return {
    name: error.name,
    code: typeof code === 'string' ? code : '',
    status: $metadata?.httpStatusCode,
    message: error.message,
  };
}

function refusalOf({ name, code, status, message }: Seen, store: EvidenceStore): string | undefined {
  if (wrongKey.has(name))
    return `refuses the key (${name}): compare the secrets ${store.accessKeyId} and ${store.secretAccessKey} with the store's own.`;
  if (name === 'NoSuchBucket')
    return `has no bucket "${store.bucket}": create it, or correct evidence.bucket in the plan.`;
  if (name === 'RequestTimeTooSkewed')
    return "finds this machine's clock wrong (RequestTimeTooSkewed): synchronise it, signatures are only valid for minutes.";
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed' || status === 301)
    return `expects another region than "${store.region}" (${message}): correct evidence.region in the plan.`;
  if (untrusted.has(code))
    return `shows a certificate that is not trusted (${code}): ${store.caFile === undefined ? 'give its authority as evidence.caFile' : `${store.caFile} is not its authority, correct evidence.caFile`}.`;
  if (code === 'CERT_HAS_EXPIRED') return 'shows a certificate that has expired: renew it.';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `shows a certificate for another name (${message}): use a name that it carries in evidence.endpoint.`;
  if (code === 'EPROTO') return 'does not speak TLS there: write http:// in evidence.endpoint, or correct its port.';
  if (status === 403)
    return `does not permit this (${name}): let the key read, list and write bucket "${store.bucket}".`;
  // 408 and 429 say: later. Every other 4xx would say the same again.
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429)
    return `refuses the request (${name}: ${message}).`;
  return undefined;
}

function whyUnreachable({ name, code, status, message }: Seen): string {
  if (code === 'ECONNREFUSED') return 'refuses connections';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'cannot be found: its name does not resolve';
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'did not answer in time';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'broke off the connection';
  if (status !== undefined && status >= 500) return `answers ${status} (${name})`;
  return `does not answer as expected (${name}: ${message})`;
}
