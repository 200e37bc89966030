import type { Database } from '../../plan/schema.ts';
import type { MemberState } from '../shapes.ts';

/** What Lifeboat needs to know of a cluster, however it is kept together. */
export interface ClusterKind {
  /** Asks every member itself, never a third party: only a server knows whether it is a primary. */
  members(database: Database, addresses: Record<string, string>): Promise<MemberState[]>;
}
