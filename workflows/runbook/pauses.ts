// First soon, for what is nearly done; then ever more seldom, so that a day of waiting makes a short history.
const firstMs = 5_000;
const usualLongestMs = 60_000;
const atMost = 60;

/** How long to wait before each next look, milliseconds; `withinMs` together. */
export function pausesWithin(withinMs: number): number[] {
  const longestMs = Math.max(usualLongestMs, withinMs / atMost);
  const pauses: number[] = [];
  let leftMs = withinMs;
  for (let nextMs = firstMs; leftMs > 0; nextMs = Math.min(nextMs * 2, longestMs)) {
    pauses.push(Math.min(nextMs, leftMs));
    leftMs -= nextMs;
  }
  return pauses;
}
