import type { EvidenceStore } from '../../plan/schema.ts';
import { waitingOut } from '../outage.ts';
import type { Found, Patience } from '../shapes.ts';
import { withStore } from './object-store.ts';

/**
 * Whether the store takes the key and has the bucket. Only lists: writing would be no read, and is proven when evidence is written.
 *
 * @throws StoreRefused wrong key, missing bucket, untrusted certificate @throws StoreUnreachable
 */
export async function storeAnswers(ask: { store: EvidenceStore } & Patience): Promise<Found> {
  const { endpoint, bucket } = ask.store;
  await waitingOut('StoreUnreachable', ask, () => withStore(ask.store, (opened) => opened.list('', 1)));
  return {
    found: `${endpoint} lists bucket "${bucket}" with the plan's key`,
    expected: 'an object store that knows the key and has the bucket',
  };
}
