/** What a failed request came to, without its address, which may be a secret. */

export function noAnswer(ms: number): string {
  return `it did not answer within ${Number((ms / 1_000).toFixed(1))} s`;
}

/** @param ms how long it was waited for */
export function networkWords(error: unknown, ms: number): string {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one.name === 'TimeoutError' || one.name === 'AbortError') return noAnswer(ms);
    if ('code' in one && typeof one.code === 'string' && /^(E[A-Z_]+|UND_ERR_[A-Z_]+)$/.test(one.code)) return one.code;
  }
  return 'it cannot be reached';
}
