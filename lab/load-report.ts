import { readFile } from 'node:fs/promises';

/** What the load generator has done: orders placed and paid, and tries that failed. */
export interface LoadReport {
  /** In the last second. */
  ordersPerSecond: number;
  orders: number;
  failed: number;
}

/** The newest report, or undefined before the first. */
export async function readLoadReport(file: string): Promise<LoadReport | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as LoadReport);
}

/** An order placed and paid. */
export interface Purchase {
  /** Milliseconds since 1970. */
  endedAt: number;
  tookMs: number;
}

export function purchaseLine({ endedAt, tookMs }: Purchase): string {
  return `${endedAt} ${tookMs.toFixed(1)}\n`;
}

/** All purchases that were reported; the last second's are not yet. */
export async function readPurchases(file: string): Promise<Purchase[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => {
    const [endedAt, tookMs] = line.split(' ').map(Number);
    return { endedAt: endedAt ?? 0, tookMs: tookMs ?? 0 };
  });
}
