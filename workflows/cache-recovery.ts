import type { RunSummary } from '../evidence/evidence.ts';
import { cacheSecretNames } from '../plan/hosts.ts';
import type { CacheRecoveryInput } from './messages.ts';
import { cacheOf } from './phases/cache/choose.ts';
import { assess } from './phases/cache/recover.ts';
import { replaceCacheContent } from './phases/cache/restore.ts';
import { proveWarm } from './phases/cache/warm.ts';
import { runbook } from './runbook/runbook.ts';

/**
 * A cache that Redis Sentinel keeps comes back, or changes its master without loss, is restored from an RDB file, or is warmed. By itself it
 * does what is needed; what is healthy is left alone.
 */
export async function cacheRecovery(input?: CacheRecoveryInput): Promise<RunSummary> {
  return runbook<CacheRecoveryInput>(
    {
      name: 'cache-recovery',
      title: 'Cache recovery',
      phases: ['assessment', 'application', 'validation'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [replaceCacheContent],
    },
    input,
    async (run) => {
      const { named, work } = await run.phase('assessment', async () => {
        const named = await cacheOf(run, run.input.component);
        await run.holdService();
        const names = cacheSecretNames(named.component);
        if (names.length > 0)
          await run.check('The secrets of the cache resolve', () => run.control.resolveSecrets({ names }));
        return { named, work: await assess(run, named, run.input.do) };
      });
      await run.phase('application', () => work.apply());
      await run.phase('validation', async () => {
        await work.validate();
        if (work.warms) await proveWarm(run, named);
      });
    },
  );
}
