import type { EvidenceStore } from '../../plan/schema.ts';
import { waitingOut } from '../outage.ts';
import type { Patience } from '../shapes.ts';
import { provenFolder, timeIn } from './layout.ts';
import { withStore } from './object-store.ts';
import { liveOnly } from './stored-run.ts';

/**
 * When a live recovery last went through what a drill leaves out, UTC by name; absent: never.
 *
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function lastProven(
  ask: { store: EvidenceStore; service: string } & Patience,
): Promise<Record<string, string>> {
  return waitingOut('StoreUnreachable', ask, () =>
    withStore(ask.store, async (opened) => {
      const times = await Promise.all(
        liveOnly.map(async (what): Promise<[string, string | undefined]> => {
          const [newest] = await opened.list(provenFolder(ask.service, what), 1);
          return [what, newest === undefined ? undefined : timeIn(newest)];
        }),
      );
      return Object.fromEntries(times.filter((one): one is [string, string] => one[1] !== undefined));
    }),
  );
}
