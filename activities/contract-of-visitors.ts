/** What leading visitors to the application asks for: part of the contract, in a file of its own. */
import type { Visitors } from '../plan/visitors.ts';
import type { SharedServer, Weights } from '../recovery/shares.ts';
import type { Judged } from '../recovery/soak.ts';
import type { Found } from './shapes.ts';

export interface VisitorsState extends Found {
  /** Every server of the backend. */
  servers: SharedServer[];
  /** Percent of the visitors who are led to those who serve. */
  share: number;
}

/** What a soak has seen of a share that is served well. */
export type Soaked = Found & Omit<Judged, 'against'>;

export interface VisitorsReads {
  /**
   * @throws PlanInvalid the backend has not the servers that the plan names, or others that visitors are led to @throws TrafficUnreachable
   */
  visitorsState(ask: { visitors: Visitors }): Promise<VisitorsState>;
  /**
   * While nobody is led to the service: what comes from the server of last resort does not pass for a healthy answer of the service.
   *
   * @throws PlanInvalid it does
   */
  closedIsTold(ask: { visitors: Visitors }): Promise<Found>;
  /**
   * Asks from outside, many times, for as long as the plan's soak lasts, and counts what the load balancer counts.
   *
   * @param ask.weights as they were set: whoever sets others meanwhile ends it
   * @throws VisitorsFail by the plan's rule, as soon as it is certain @throws Moved @throws TrafficUnreachable
   */
  soakVisitors(ask: { visitors: Visitors; weights: Weights }): Promise<Soaked>;
  /** Waits until nobody is left on servers that nobody is led to any more. Who is left then is told, and fails nothing. */
  visitorsGone(ask: { visitors: Visitors; servers: string[]; withinMs: number }): Promise<Found & { left: number }>;
}

export interface VisitorsChanges {
  /**
   * Sets the weights of servers. Led back, it is its own undo.
   *
   * @param ask.before as they were seen
   * @throws Moved they are neither these nor those by now @throws TrafficUnreachable @throws PlanInvalid
   */
  leadVisitors(ask: { visitors: Visitors; before: Weights; after: Weights }): Promise<VisitorsState>;
}
