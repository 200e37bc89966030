/** What a person says of a run, as it is signed. Whoever signs and whoever verifies build it here. */
import { canonical, sha256 } from './canonical.ts';
import type { Evidence } from './evidence.ts';
import type { Approval, Decision } from './people.ts';
import type { Statement } from './signing.ts';

type Of = Pick<Evidence, 'run' | 'runId'>;

interface Said {
  /** Id of a person of the plan. */
  by: string;
  reason?: string | undefined;
}

/** An answer to an approval: `approve`, `reject`, or an alternative with what comes with it. */
export function approvalStatement(
  { run, runId }: Of,
  { id, hash, nonce }: Pick<Approval, 'id' | 'hash' | 'nonce'>,
  { by, reason = '', choice, value = '' }: Said & { choice: string; value?: string | undefined },
): Statement {
  const kind = choice === 'reject' ? 'reject' : 'approve';
  return { kind, run, runId, about: id, bound: `${hash}:${nonce}`, choice, value, by, reason };
}

export function decisionStatement(
  { run, runId }: Of,
  { step, code }: Pick<Decision, 'step' | 'code'>,
  { by, reason = '', action }: Said & { action: string },
): Statement {
  return { kind: 'decide', run, runId, about: step, bound: code, choice: action, value: '', by, reason };
}

/** @param code of the computed abort that its sender has read */
export function abortStatement({ run, runId }: Of, code: string, { by, reason = '' }: Said): Statement {
  return { kind: 'abort', run, runId, about: 'run', bound: code, choice: 'abort', value: '', by, reason };
}

/**
 * Of whoever starts a run. Its execution has no id yet, so that the signature holds for this workflow id and this input.
 *
 * @param input as it is sent; a signature that is in it already does not count
 */
export function startStatement(run: string, by: string, input: object): Statement {
  return {
    kind: 'start',
    run,
    runId: '',
    about: 'run',
    bound: inputHash(input),
    choice: 'start',
    value: '',
    by,
    reason: '',
  };
}

/** SHA-256 of an input as JSON with sorted keys, without `requestSignature`. */
export function inputHash(input: object): string {
  return sha256(canonical({ ...input, requestSignature: undefined }));
}
