import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { NotPossible } from './books.ts';

const placementSchema = z.strictObject({
  customer: z.number().int().positive(),
  lines: z
    .array(z.strictObject({ product: z.number().int().positive(), quantity: z.number().int().min(1).max(1_000) }))
    .min(1)
    .max(100),
});
type Placement = z.output<typeof placementSchema>;

const longest = 64 * 1024;

/** What somebody wants to order. */
export async function placement(request: IncomingMessage): Promise<Placement> {
  const parsed = placementSchema.safeParse(parse(await text(request)));
  if (parsed.success) return parsed.data;
  throw new NotPossible(
    400,
    `expected {"customer": 1, "lines": [{"product": 1, "quantity": 2}]}: ${parsed.error.message}`,
  );
}

async function text(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const part of request) {
    all += part;
    if (all.length > longest) throw new NotPossible(413, `an order has at most ${longest} bytes`);
  }
  return all;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new NotPossible(400, 'the body is not JSON');
  }
}
