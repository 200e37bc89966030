/**
 * Uses the shop as a customer would, over HTTP, and returns one sentence.
 * @throws an error whose message says what did not work
 */
export async function smoke(address: string): Promise<string> {
  const { status } = await ask<{ status: string }>(`${address}/health`);
  if (status !== 'ok') throw new Error(`the shop says of itself that it is ${status}`);
  const { newest } = await ask<{ newest: number }>(`${address}/customers`);
  if (newest === 0) throw new Error('the shop has no customer to buy something');
  const placed = await ask<{ id: string; total: string }>(`${address}/orders`, {
    customer: newest,
    lines: [
      { product: 1, quantity: 2 },
      { product: 2, quantity: 1 },
    ],
  });
  const paid = await ask<{ amount: string }>(`${address}/orders/${placed.id}/payment`, {});
  const read = await ask<{ status: string; total: string; lines: unknown[] }>(`${address}/orders/${placed.id}`);
  if (read.status !== 'paid' || read.total !== placed.total || paid.amount !== placed.total || read.lines.length !== 2)
    throw new Error(`order ${placed.id} was placed for ${placed.total} and paid, but reads ${JSON.stringify(read)}`);
  const contradictions = await ask<string[]>(`${address}/contradictions`);
  if (contradictions.length > 0) throw new Error(`the books contradict themselves: ${contradictions.join('; ')}`);
  return `order ${placed.id} placed, paid and read back; the books add up`;
}

/** The plan's `within` ends the whole test; until then a slow machine is slow, not wrong. */
const longestAnswerMs = 5 * 60_000;

async function ask<T>(url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(longestAnswerMs),
    ...(body === undefined
      ? {}
      : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}
