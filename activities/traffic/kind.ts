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
  /** It is kept out by a check of the load balancer's own, and by nobody's word. */
  checkedOut: boolean;
}

/** What Lifeboat needs of a load balancer. */
export interface TrafficKind {
  /** Read-only. @throws TrafficUnreachable @throws PlanInvalid */
  backends(traffic: Traffic): Promise<Backend[]>;
  /** What would be said to it to move all traffic to one of its servers. */
  movesTo(traffic: Traffic, server: string, backends: Backend[]): string[];
  /** Takes every server out and ends its sessions. @throws DoorOpen one still has sessions */
  close(traffic: Traffic): Promise<void>;
  /** Lets this server in, and no other. */
  open(traffic: Traffic, server: string): Promise<void>;
  /** Leaves a server to the load balancer's own check, which must keep it out: it is given no session until that is seen. */
  release(traffic: Traffic, server: string): Promise<void>;
}
