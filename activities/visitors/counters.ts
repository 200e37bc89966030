/** What the load balancer counts of those who serve, from look to look: also across a restart, after which it begins at nothing. */
import { ApplicationFailure } from '@temporalio/common';
import type { Visitors } from '../../plan/visitors.ts';
import type { SharedServer } from '../../recovery/shares.ts';
import type { Counted } from '../../recovery/soak.ts';
import type { Counter } from './kind.ts';
import { kindOf } from './kinds.ts';

/** A reload takes a moment; what the visitors get meanwhile is asked from outside. Milliseconds. */
const silentForMs = 10_000;

export class Counters {
  readonly all: Counted[] = [];
  readonly #visitors: Visitors;
  readonly #last = new Map<string, Counter>();
  #answeredAt = performance.now();

  constructor(visitors: Visitors) {
    this.#visitors = visitors;
  }

  /** The servers as they are; undefined while the load balancer is silent. @throws TrafficUnreachable it is for too long */
  async look(): Promise<SharedServer[] | undefined> {
    const kind = kindOf(this.#visitors);
    try {
      const counters = await kind.counters();
      const servers = await kind.servers();
      this.#answeredAt = performance.now();
      this.#count(counters);
      return servers;
    } catch (error) {
      if (!(error instanceof ApplicationFailure) || error.type !== 'TrafficUnreachable') throw error;
      if (performance.now() - this.#answeredAt > silentForMs) throw error;
      return undefined;
    }
  }

  #count(counters: Counter[]): void {
    const serving = counters.filter(({ server }) => this.#visitors.servers.includes(server));
    const since = serving.map((now) => {
      const before = this.#last.get(now.server);
      this.#last.set(now.server, now);
      // What was counted before the first look is not of this share.
      if (before === undefined) return { answers: 0, failed: 0 };
      const begunAnew = now.answers < before.answers || now.failed < before.failed;
      return begunAnew ? now : { answers: now.answers - before.answers, failed: now.failed - before.failed };
    });
    this.all.push({
      at: performance.now(),
      answers: since.reduce((sum, { answers }) => sum + answers, 0),
      failed: since.reduce((sum, { failed }) => sum + failed, 0),
    });
  }
}
