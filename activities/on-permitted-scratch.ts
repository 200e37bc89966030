import { loadPermit, permitScratch } from './permit.ts';

/**
 * The same activities, which first ask the permit file about the scratch directory that they are told: before anything else of what they
 * were asked for is looked at, and also where they would have no use for it today.
 */
export function onPermittedScratch<A extends object>(activities: A): A {
  const asking = Object.entries(activities).map(([name, activity]) => [
    name,
    async (ask: Ask) => {
      if (ask?.scratch !== undefined) await permitScratch(await loadPermit(), ask.scratch?.directory ?? '');
      return activity(ask);
    },
  ]);
  return Object.fromEntries(asking) as A;
}

/** As it came over the wire: whatever somebody sent. */
interface Ask {
  scratch?: { directory?: string } | null;
}
