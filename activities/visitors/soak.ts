/** A share of the visitors is watched for a while: asked from outside, and counted by what leads them. */
import { formatCount, formatDuration, formatNumberOf } from '../../evidence/format.ts';
import type { Visitors } from '../../plan/visitors.ts';
import { shareInWords, shareOf, type Weights } from '../../recovery/shares.ts';
import { type Counted, type Judged, judge, type Limits, type Probe } from '../../recovery/soak.ts';
import type { Soaked, VisitorsReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating, pause } from '../heartbeat.ts';
import { authorityIn } from '../network/web.ts';
import { Counters } from './counters.ts';
import { kindOf } from './kinds.ts';
import { ours } from './lead.ts';
import { Probes } from './probes.ts';

/** Milliseconds between two looks at the load balancer. */
const lookEveryMs = 500;
const tickMs = 20;

export const soakVisitors: VisitorsReads['soakVisitors'] = async ({ visitors, weights }) => {
  const ca = await authorityIn(visitors.healthy.caFile);
  const soak = new Soak(visitors, weights, new Probes(visitors, ca, await shareNow(visitors, weights)));
  return beating(
    () => soak.soFar(),
    () => soak.run(),
  );
};

/** What these weights come to as the servers are now: nobody is led to one that is down. @throws VisitorsFail @throws Moved */
async function shareNow(visitors: Visitors, weights: Weights): Promise<number> {
  const found = await kindOf(visitors).servers();
  ours(visitors, found, weights, weights);
  const share = shareOf(visitors, found, weights);
  if (share === 0)
    throw failure(
      'VisitorsFail',
      `in the load balancer none of ${visitors.servers.join(', ')} is up, expected at least one: visitors who are led there would be given errors. See their logs, what the check asks, and whether somebody has taken them out.`,
    );
  return share;
}

class Soak {
  readonly #visitors: Visitors;
  readonly #weights: Weights;
  readonly #probes: Probes;
  readonly #counters: Counters;
  readonly #began = performance.now();

  constructor(visitors: Visitors, weights: Weights, probes: Probes) {
    this.#visitors = visitors;
    this.#weights = weights;
    this.#probes = probes;
    this.#counters = new Counters(visitors);
  }

  soFar(): { probes: number; healthy: number; answers: number; failed: number; seconds: number } {
    const { probes, healthy, answers, failed } = this.#judged('sure');
    return { probes, healthy, answers, failed, seconds: Math.round(this.#elapsed / 1_000) };
  }

  async run(): Promise<Soaked> {
    const { soak } = this.#visitors;
    try {
      for (let nextLook = 0; this.#elapsed < soak; ) {
        this.#probes.askWhatIsDue();
        if (this.#elapsed >= nextLook) {
          await this.#look();
          nextLook = this.#elapsed + lookEveryMs;
        }
        await pause(tickMs);
      }
      await this.#probes.answered();
      await this.#look();
      return this.#served();
    } finally {
      // Whatever has ended it: no question is left behind that would count for the next one.
      await this.#probes.answered();
    }
  }

  get #elapsed(): number {
    return performance.now() - this.#began;
  }

  async #look(): Promise<void> {
    const found = await this.#counters.look();
    if (found !== undefined) ours(this.#visitors, found, this.#weights, this.#weights);
    const { soak, stopWhen } = this.#visitors;
    this.#refuse(this.#judged('sure'), `for ${formatDuration(this.#elapsed)}`);
    if (stopWhen.for === undefined || this.#elapsed < stopWhen.for || this.#elapsed >= soak) return;
    this.#refuse(
      this.#judged('plainly', performance.now() - stopWhen.for),
      `in the last ${formatDuration(stopWhen.for)}`,
    );
  }

  #judged(how: 'plainly' | 'sure', since = 0): Judged {
    const { errors, latency } = this.#visitors.stopWhen;
    const limits: Limits = { share: this.#probes.share, errorsPercent: errors, latencyMs: latency };
    const later = ({ at }: Probe | Counted) => at >= since;
    return judge(this.#probes.all.filter(later), this.#counters.all.filter(later), limits, how);
  }

  #refuse({ against }: Judged, during: string): void {
    if (against.length === 0) return;
    const { servers, stopWhen } = this.#visitors;
    throw failure(
      'VisitorsFail',
      `with ${shareInWords(this.#probes.share)} of the visitors on ${servers.join(', ')} ${during}: ${against.join('; ')}. Expected at most ${stopWhen.errors} % that fail, and 95 % within ${formatDuration(stopWhen.latency)}. See the logs of the servers.`,
    );
  }

  #served(): Soaked {
    const { soak, servers, stopWhen } = this.#visitors;
    const judged = this.#judged('plainly', stopWhen.for === undefined ? 0 : performance.now() - stopWhen.for);
    this.#refuse(judged, stopWhen.for === undefined ? `for ${formatDuration(soak)}` : 'at the end');
    const { against: _none, ...whole } = this.#judged('plainly');
    const { probes, healthy, due, p95Ms, answers, failed } = whole;
    const speed = p95Ms === undefined ? '' : `, 95 % of them within ${p95Ms} ms`;
    return {
      ...whole,
      found: `${shareInWords(this.#probes.share)} of the visitors for ${formatDuration(soak)}: ${healthy} of ${formatNumberOf(probes, 'probe')} came to the service and were answered well (about ${Math.round(due)} should come to it)${speed}; of ${servers.join(', ')} the load balancer counts ${formatNumberOf(answers, 'answer')}, ${formatCount(failed)} of them failed`,
      expected: `at most ${stopWhen.errors} % fail, 95 % within ${formatDuration(stopWhen.latency)}`,
    };
  }
}
