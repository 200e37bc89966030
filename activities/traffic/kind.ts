import type { Traffic } from '../../plan/schema.ts';

/** One server behind a load balancer, as the load balancer sees it. */
export interface Backend {
  server: string;
  address: string;
  /** The load balancer's own word: UP, DOWN, MAINT, ... */
  state: string;
  /** It is given new connections. */
  serves: boolean;
  sessions: number;
}

/** What Lifeboat needs of a load balancer. */
export interface TrafficKind {
  /** Read-only. @throws TrafficUnreachable @throws PlanInvalid */
  backends(traffic: Traffic): Promise<Backend[]>;
  /** What would be said to it to move all traffic to one of its servers. */
  movesTo(traffic: Traffic, server: string, backends: Backend[]): string[];
}
