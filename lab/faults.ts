/** What the fault proxy can be told to do to the object store's traffic, and how to tell it. */
import { request } from 'node:http';
import { z } from 'zod';

const faultSchema = z.discriminatedUnion('kind', [
  /** Answers itself, without asking the store. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(100).max(599),
    code: z.string().optional(),
  }),
  /** Milliseconds before the request is passed on. */
  z.strictObject({ kind: z.literal('delay'), ms: z.number().int().min(0) }),
  /**
   * Passes on so many bytes of the body. With `announce: 'whole'` the connection breaks off, as the header promised more;
   * with `'short'` the answer looks complete.
   */
  z.strictObject({
    kind: z.literal('truncate'),
    afterBytes: z.number().int().min(0),
    announce: z.enum(['whole', 'short']).default('whole'),
  }),
  /** Inverts the byte at this place of the body; the last one when the body is shorter. */
  z.strictObject({ kind: z.literal('flip'), atByte: z.number().int().min(0) }),
  /** Closes the connection, before the store hears of the request or after it has done its work. */
  z.strictObject({ kind: z.literal('drop'), when: z.enum(['before', 'after']).default('before') }),
  /** Never answers, and keeps the connection. */
  z.strictObject({ kind: z.literal('hang') }),
  /** Gives the answer that this very question was given first: an old listing, an old object. */
  z.strictObject({ kind: z.literal('old') }),
  /** Gives all questions the answer that the first of them was given: another object's content. */
  z.strictObject({ kind: z.literal('other') }),
]);
export type Fault = z.output<typeof faultSchema>;

export const faultRuleSchema = z.strictObject({
  /** `GET`; any when absent. */
  method: z.string().optional(),
  /** Regular expression for the path with its query; any when absent. */
  path: z.string().refine(isPattern, 'not a regular expression').optional(),
  /** So many matching requests pass first. */
  skip: z.number().int().min(0).default(0),
  /** So many are struck; all when absent. */
  count: z.number().int().min(1).optional(),
  fault: faultSchema,
});
export type FaultRule = z.input<typeof faultRuleSchema>;

/**
 * What happens to new connections: `silent` accepts and says nothing for ever, `closing` accepts and closes, `plain` answers without TLS,
 * `stranger` shows the certificate of an authority that nobody knows, `expired` one that is over.
 */
export const doorSchema = z.enum(['open', 'silent', 'closing', 'plain', 'stranger', 'expired']);
export type Door = z.output<typeof doorSchema>;

/** A rule and how often it has matched and struck. */
export interface RuleState {
  rule: z.output<typeof faultRuleSchema>;
  seen: number;
  struck: number;
}

/** The first rule that strikes this request, which is counted. */
export function strike(
  rules: readonly RuleState[],
  method: string,
  path: string,
): { fault: Fault; by: RuleState } | undefined {
  for (const state of rules) {
    const { rule } = state;
    if (rule.method !== undefined && rule.method !== method) continue;
    if (rule.path !== undefined && !new RegExp(rule.path).test(path)) continue;
    state.seen += 1;
    if (state.seen <= rule.skip || state.struck >= (rule.count ?? Number.POSITIVE_INFINITY)) continue;
    state.struck += 1;
    return { fault: rule.fault, by: state };
  }
  return undefined;
}

/** Orders to a running fault proxy. */
export interface Faults {
  add(rule: FaultRule): Promise<void>;
  /** Ends the connections that there are, too. */
  door(door: Door): Promise<void>;
  /** No rules, and an open door. */
  clear(): Promise<void>;
  list(): Promise<RuleState[]>;
}

export function faultsAt(socketPath: string): Faults {
  const ask = (method: string, body?: unknown, path = '/rules') => exchange({ socketPath, path, method }, body);
  return {
    add: async (rule) => void (await ask('POST', rule)),
    door: async (door) => void (await ask('POST', door, '/door')),
    clear: async () => void (await ask('DELETE')),
    list: async () => (await ask('GET')) as RuleState[],
  };
}

function exchange(where: { socketPath: string; path: string; method: string }, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`the fault proxy refused: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
