import type { Database } from '../../plan/schema.ts';
import type { MemberState } from '../shapes.ts';

/** What Lifeboat needs to know of a cluster, however it is kept together. */
export interface ClusterKind<D extends Database = Database> {
  /** Asks every member itself, never a third party: only a server knows whether it is a primary. */
  members(database: D, addresses: Record<string, string>): Promise<MemberState[]>;
}
