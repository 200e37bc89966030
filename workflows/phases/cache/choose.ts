/** Which of the plan's caches is meant. */
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { NamedCache } from './cache.ts';

/** @throws PlanInvalid there is none @throws InputInvalid another name, or none where there are several */
export function cacheOf(run: Run, wanted: string | undefined): Promise<NamedCache> {
  return run.check('It is known which cache is meant', async () => {
    const caches = Object.entries(run.plan.components ?? {}).flatMap(([name, component]) =>
      component.kind === 'redis-sentinel' ? [{ name, component }] : [],
    );
    const names = caches.map(({ name }) => name).join(', ');
    if (caches.length === 0)
      throw failure(
        'PlanInvalid',
        'the plan has no cache: add one under components, with kind: redis-sentinel (docs/cache-recovery.md).',
      );
    const [only] = caches;
    const found = wanted === undefined && caches.length === 1 ? only : caches.find(({ name }) => name === wanted);
    if (found !== undefined) return { ...found, found: found.name };
    throw failure(
      'InputInvalid',
      wanted === undefined
        ? `the plan has several caches (${names}): name one in "component".`
        : `the plan has no cache "${wanted}", expected one of ${names}.`,
    );
  });
}
