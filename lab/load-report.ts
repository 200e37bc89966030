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
