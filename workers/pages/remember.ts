/** Answers asked for again within `ms` are not fetched again; whoever asks while one is on its way waits for the same. */
export function remember<A extends string, T>(ms: number, fetch: (of: A) => Promise<T>): (of: A) => Promise<T> {
  const known = new Map<A, { answer: Promise<T>; until: number }>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined && performance.now() < before.until) return before.answer;
    const answer = fetch(of);
    known.set(of, { answer, until: performance.now() + ms });
    // A failure is not worth remembering.
    answer.catch(() => known.delete(of));
    return answer;
  };
}
