/** What the workspace does wrong when it is told to. */
import { z } from 'zod';

const fault = z.discriminatedUnion('kind', [
  /** Nobody answers: connections end without a word, sockets too. */
  z.strictObject({ kind: z.literal('down') }),
  z.strictObject({ kind: z.literal('slow'), ms: z.int().min(1) }),
  z.strictObject({ kind: z.literal('rate-limited'), retryAfterS: z.int().min(1) }),
  /** The status of success with a body that is no answer. */
  z.strictObject({ kind: z.literal('garbage') }),
  z.strictObject({ kind: z.literal('status'), status: z.int().min(500).max(599) }),
  /** It is done, and nobody hears of it. */
  z.strictObject({ kind: z.literal('unheard') }),
]);

export const ruleSchema = z.strictObject({
  fault,
  /** Only this method of the API, such as `chat.postMessage`. */
  method: z.string().optional(),
  /** How often; for ever when absent. */
  times: z.int().min(1).optional(),
});

export type Fault = z.output<typeof fault>;
export type Rule = z.output<typeof ruleSchema>;

export class Faults {
  #rules: (Rule & { struck: number })[] = [];

  set(rules: readonly Rule[]): void {
    this.#rules = rules.map((rule) => ({ ...rule, struck: 0 }));
  }

  get down(): boolean {
    return this.#rules.some(({ fault: { kind }, method }) => kind === 'down' && method === undefined);
  }

  /** How often each rule has struck so far. */
  get struck(): number[] {
    return this.#rules.map(({ struck }) => struck);
  }

  strike(method: string): Fault | undefined {
    const rule = this.#rules.find(
      (one) =>
        (one.method === undefined || one.method === method) && (one.times === undefined || one.struck < one.times),
    );
    if (rule === undefined) return undefined;
    rule.struck += 1;
    return rule.fault;
  }
}
