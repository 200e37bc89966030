import type { SharedServer, Weights } from '../../recovery/shares.ts';

/** What a load balancer has counted of a server since it has begun to count. */
export interface Counter {
  server: string;
  answers: number;
  failed: number;
}

/** What Lifeboat needs of what leads visitors by shares. */
export interface VisitorsKind {
  /** Every server that visitors could be led to. @throws TrafficUnreachable @throws PlanInvalid */
  servers(): Promise<SharedServer[]>;
  /** @throws TrafficUnreachable */
  counters(): Promise<Counter[]>;
  /** In one piece, those that get more first: in no moment is nobody there. What was said stays said when it is started again. */
  weigh(now: Weights, weights: Weights): Promise<void>;
  /** What was set is written down once more, as after an answer that was lost. */
  keep(): Promise<void>;
}
