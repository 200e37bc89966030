/** What exactly a person signs. Pure: the CLI, the gateway and the run must come to the same text. */
import type { ClickKind } from './people.ts';

export interface Statement {
  kind: ClickKind | 'start';
  /** Workflow id and the id of its first execution: what is said of one run is worth nothing in another. */
  run: string;
  runId: string;
  /** Step id of the approval or the decision; of an abort and a start, `run`. */
  about: string;
  /** `hash:nonce` of the approval; the code of a decision or an abort; of a start, the SHA-256 of its input. */
  bound: string;
  /** `approve`, `reject`, an alternative, `retry`, `skip`, `abort`, `start`. */
  choice: string;
  /** What came with the choice. */
  value: string;
  /** Id of the person. */
  by: string;
  reason: string;
}

export const signedFields = ['kind', 'run', 'runId', 'about', 'bound', 'choice', 'value', 'by', 'reason'] as const;

/** One line a field, each a JSON string: no value can pretend to be the next field. */
export function statementText(statement: Statement): string {
  return ['lifeboat/1', ...signedFields.map((field) => `${field} ${JSON.stringify(statement[field])}`)].join('\n');
}

/** As it travels: who signed it, and the signature. */
export interface Signature {
  /** `person`, or the gateway that vouches for one. */
  as: 'person' | 'gateway';
  /** The public key, as the plan writes it: `ed25519:<base64>`. */
  key: string;
  /** Base64, 64 bytes. */
  value: string;
}
