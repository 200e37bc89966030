/** Brings evidence home that waits on this machine for its store. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { uploadWaiting } from '../activities/evidence/waiting.ts';
import { planFiles, readPlan } from '../activities/plans.ts';
import type { Plan } from '../plan/schema.ts';

/** Milliseconds. Where nothing waits it costs a look into a directory. */
const everyMs = 30_000;

/** At once, and then again and again. */
export async function bringEvidenceHome(logger: Logger, stop: AbortSignal): Promise<void> {
  const said = new Set<string>();
  const once = (level: 'warn' | 'info', words: string) => {
    if (!said.has(words)) logger[level](words);
    said.add(words);
  };
  while (!stop.aborted) {
    for (const plan of await plansNow()) await bring(plan, once);
    await rest(stop);
  }
}

async function bring({ evidence, service }: Plan, say: (level: 'warn' | 'info', words: string) => void): Promise<void> {
  try {
    const { uploaded, kept } = await uploadWaiting(evidence, service);
    for (const run of uploaded) say('info', `the evidence of ${run}, which had waited here, is in the store now`);
    for (const why of kept) say('warn', why);
  } catch (error) {
    say('warn', `evidence of ${service} waits here: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Those that cannot be read have been complained of at the start. */
async function plansNow(): Promise<Plan[]> {
  const files = await planFiles(process.env.LIFEBOAT_PLANS ?? '').catch(() => []);
  const plans = await Promise.all(
    files.map((file) =>
      readPlan(file).then(
        ({ plan }) => [plan],
        () => [],
      ),
    ),
  );
  return plans.flat();
}

function rest(stop: AbortSignal): Promise<void> {
  return wait(everyMs, undefined, { signal: stop }).catch(() => undefined);
}
