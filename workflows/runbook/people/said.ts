/** A message of a person, as it may come: from our own programs, from automation, or typed into the Temporal UI. */
import type { Channel } from '../../../evidence/people.ts';
import type { Signature } from '../../../evidence/signing.ts';

export interface Said {
  by: string;
  channel: Channel;
  code: string;
  reason?: string;
  /** `malformed`: there is one, and it is none. */
  signature?: Signature | 'malformed';
  /** Of an answer to an approval. */
  approval?: string;
  choice?: string;
  value?: string;
  /** Of a decision. */
  step?: string;
  action?: string;
}

/** What is wrong with a message that cannot be read, and who sent it as far as it says. */
export interface Unreadable {
  problem: string;
  by: string;
  channel: Channel;
  /** Whether a signature came with it: it cannot be held against what cannot be read. */
  signed: boolean;
}

const channels: readonly Channel[] = ['cli', 'slack', 'temporal-ui', 'automation', 'unknown'];
const texts = ['reason', 'approval', 'choice', 'value', 'step', 'action'] as const;

// A history keeps every message: nobody needs more than a page for a reason.
const longest = 2_000;
const example = 'send one JSON object such as {"by":"ana","code":"7K3M9QXZ"}';

/** @param payload the Temporal UI sends nothing, a text or a list just as well */
export function readSaid(payload: unknown): Said | Unreadable {
  const value = unwrapped(payload);
  const from = { by: 'unknown', channel: 'unknown', signed: false } as const;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ...from, problem: `this message says nothing: ${example}` };
  const fields: Partial<Record<string, unknown>> = { ...value };
  const channel = channels.find((one) => one === fields.channel) ?? 'unknown';
  const { by, code = '' } = fields;
  const signed = fields.signature !== undefined && fields.signature !== null;
  if (typeof by !== 'string' || by.trim() === '' || by.length > 80)
    return { ...from, channel, signed, problem: `"by" must be a person of the plan, by id: ${example}` };
  if (typeof code !== 'string' || code.length > 80)
    return { by, channel, signed, problem: `"code" must be the code that is shown: ${example}` };
  const said: Said = { by: by.trim(), channel, code };
  for (const field of texts) {
    const text = fields[field];
    if (text === undefined || text === null) continue;
    if (typeof text !== 'string' || text.length > longest)
      return { by, channel, signed, problem: `"${field}" must be a text of at most ${longest} characters` };
    said[field] = text;
  }
  if (signed) said.signature = signatureIn(fields.signature);
  return said;
}

/** What the Temporal UI was given may arrive as a list of one, or as the text of a JSON value. */
function unwrapped(payload: unknown): unknown {
  const one = Array.isArray(payload) && payload.length === 1 ? payload[0] : payload;
  if (typeof one !== 'string') return one;
  try {
    return JSON.parse(one);
  } catch {
    return one;
  }
}

export function signatureIn(value: unknown): Signature | 'malformed' {
  if (typeof value !== 'object' || value === null) return 'malformed';
  const { as, key, value: bytes }: Partial<Record<keyof Signature, unknown>> = value;
  if ((as !== 'person' && as !== 'gateway') || typeof key !== 'string' || typeof bytes !== 'string') return 'malformed';
  return key.length > 200 || bytes.length > 200 ? 'malformed' : { as, key, value: bytes };
}
