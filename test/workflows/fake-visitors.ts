/** A load balancer before the application, in memory: weights that somebody sets, and servers that serve well or badly. */
import type { NetworkReads, VisitorsChanges, VisitorsReads, VisitorsState } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Visitors } from '../../plan/visitors.ts';
import { type SharedServer, setByOthers, shareOf, type Weights } from '../../recovery/shares.ts';

const minute = 60_000;

/** As a plan says it. */
export const visitors: Visitors = {
  kind: 'haproxy',
  socket: '127.0.0.1:9998',
  backend: 'app',
  servers: ['app1', 'app2'],
  closed: 'sorry',
  shares: [5, 25, 100],
  soak: minute,
  healthy: { url: 'http://127.0.0.1:8080/', status: 200, within: 5_000 },
  stopWhen: { errors: 2, latency: 500 },
};

export class FakeVisitors {
  weights: Weights = { app1: 0, app2: 0, sorry: 100 };
  down: string[] = [];
  /** Weights as they were set, one after the other. */
  readonly told: string[] = [];
  /** Whether a share is served well; throw to say that it is not. */
  soaks: (share: number) => void | Promise<void> = () => undefined;
  /** Sessions that stay on servers that nobody is led to any more. */
  left = 0;
  /** What the server of last resort says passes for healthy. */
  alike = false;

  #servers(): SharedServer[] {
    return Object.entries(this.weights).map(([server, weight]) => ({
      ...{ server, weight, configured: server === 'sorry' ? 0 : 10, sessions: 0 },
      ...{ up: !this.down.includes(server), takenOut: false, backup: false },
    }));
  }

  #state(of: Visitors): VisitorsState {
    const servers = this.#servers();
    const share = shareOf(of, servers);
    return { servers, share, found: `${share} % of the visitors` };
  }

  reads(): VisitorsReads {
    return {
      visitorsState: async ({ visitors: of }) => this.#state(of),
      closedIsTold: async () => {
        if (this.alike) throw failure('PlanInvalid', 'the sorry page passes for healthy');
        return { found: 'told apart' };
      },
      soakVisitors: async ({ visitors: of, weights }) => {
        const { share } = this.#state(of);
        await this.soaks(share);
        if (setByOthers(this.#servers(), weights, weights).length > 0) throw failure('Moved', 'somebody has led them');
        const counted = { probes: 200, healthy: 2 * share, due: 2 * share, answers: 400, failed: 0 };
        return { ...counted, p95Ms: 34, found: `${share} % served well` };
      },
      visitorsGone: async ({ servers }) => ({ left: this.left, found: `${this.left} left on ${servers.join(', ')}` }),
    };
  }

  changes(): VisitorsChanges {
    return {
      leadVisitors: async ({ visitors: of, before, after }) => {
        if (setByOthers(this.#servers(), before, after).length > 0) throw failure('Moved', 'somebody has led them');
        this.weights = { ...this.weights, ...after };
        this.told.push(Object.values(this.weights).join('/'));
        return this.#state(of);
      },
    };
  }
}

/** A network on which all is well, but for what a test spoils. */
export class FakeNetwork {
  readonly asked: string[] = [];
  spoilt: Partial<NetworkReads> = {};

  reads(): NetworkReads {
    const well: NetworkReads = {
      nameAnswers: async ({ entry }) => ({
        authority: { value: '192.0.2.10', ttlSeconds: 60, site: 'east' },
        resolvers: entry.resolvers.map(({ host, port }) => ({
          ...{ resolver: `${host}:${port}`, values: ['192.0.2.10'], site: 'east', ttlSeconds: 17 },
        })),
        found: 'the same everywhere',
      }),
      certificateOf: async ({ url }) => ({ well: true, found: `${url} until 2027` }),
      portAnswers: async ({ host, port }) => ({ well: true, found: `${host}:${port} answers` }),
      webAnswers: async ({ url }) => ({ well: true, found: `${url} answers` }),
    };
    return {
      nameAnswers: (ask) => (this.spoilt.nameAnswers ?? well.nameAnswers)(ask),
      certificateOf: (ask) => {
        this.asked.push(`certificate ${ask.url}`);
        return (this.spoilt.certificateOf ?? well.certificateOf)(ask);
      },
      portAnswers: (ask) => {
        this.asked.push(`port ${ask.host}:${ask.port}`);
        return (this.spoilt.portAnswers ?? well.portAnswers)(ask);
      },
      webAnswers: (ask) => {
        this.asked.push(`web ${ask.url}`);
        return (this.spoilt.webAnswers ?? well.webAnswers)(ask);
      },
    };
  }
}
