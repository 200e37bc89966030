/** A primary that is lost, and what can be seen and said of it, in memory. */
import type { FailoverControlReads, FailoverHostChanges, FailoverHostReads } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { FakePair, Name } from './fake-pair.ts';

export class FakeFailover {
  readonly #pair: FakePair;
  /** What the host of the standby sees of the primary. */
  answers = false;
  receives = false;
  /** Acknowledged, and past what the standby holds. */
  past = 0;
  /** Where the standby ends. */
  end = '0/A000060';
  /** The power switch does what it is told. */
  switchWorks = true;

  constructor(pair: FakePair) {
    this.#pair = pair;
  }

  reads(): FailoverControlReads {
    return {
      pulsesPast: async () => ({ past: this.past, spanMs: this.past * 1_000, found: `${this.past} pulses past it` }),
    };
  }

  hostReads(): FailoverHostReads {
    return {
      primarySeenFrom: async ({ member, primary }) => ({
        answers: this.answers,
        receives: this.receives,
        found: `from ${member.host}, ${primary.host} ${this.answers ? 'answers' : 'does not answer'}`,
      }),
      replayedAll: async ({ member }) => {
        const { running, timeline } = this.#pair.servers[member.host as Name];
        if (!running) throw failure('DatabaseUnreachable', `no server runs on ${member.host}`);
        return { lsn: this.end, timeline, found: `${member.host} ends at ${this.end}` };
      },
      confirmFence: async ({ victim }) => {
        if (!this.#pair.servers[victim.host as Name].off) throw failure('NotFenced', `${victim.host} is on again`);
        return { found: `${victim.host} is off` };
      },
    };
  }

  hostChanges(): FailoverHostChanges {
    const at = (host: string) => this.#pair.servers[host as Name];
    return {
      fenceServer: async ({ member }) => {
        Object.assign(at(member.host), { running: false, signal: true });
        return { found: `${member.host} is fenced` };
      },
      unfenceServer: async ({ member, ran }) => {
        Object.assign(at(member.host), { running: ran, signal: false });
        return { found: `${member.host} may be the primary again` };
      },
      fenceByCommand: async ({ victim }) => {
        if (!this.switchWorks) throw failure('NotFenced', `${victim.host} is still on`);
        Object.assign(at(victim.host), { running: false, off: true });
        return { found: `${victim.host} is off` };
      },
    };
  }
}
