import type { Healthy } from '../../plan/visitors.ts';
import type { Probe } from '../../recovery/soak.ts';
import { askWeb, NoWebAnswer } from '../network/web.ts';

/** @param ca PEM of the authority that the plan names */
export async function probe(healthy: Healthy, ca: string | undefined): Promise<Probe> {
  const at = performance.now();
  try {
    const { status, body, tookMs } = await askWeb({ url: healthy.url, withinMs: healthy.within, ca });
    const wrong = whatIsWrong(healthy, status, body);
    return { at, tookMs, healthy: wrong === undefined, ...(wrong === undefined ? {} : { saw: wrong }) };
  } catch (error) {
    if (!(error instanceof NoWebAnswer)) throw error;
    return { at, tookMs: error.tookMs, healthy: false, silent: `no answer: it ${error.message}` };
  }
}

function whatIsWrong({ status: wanted, contains }: Healthy, status: number, body: string): string | undefined {
  if (status !== wanted) return `status ${status}, expected ${wanted}`;
  if (contains !== undefined && !body.includes(contains)) return `status ${status} without "${contains}"`;
  return undefined;
}
