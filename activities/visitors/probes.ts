import type { Visitors } from '../../plan/visitors.ts';
import type { Probe } from '../../recovery/soak.ts';
import { probe } from './probe.ts';

/** So many at least should come to the service in one soak, and so many are asked of a service that all visitors come to. */
const comeToTheService = 10;
const usual = 200;
const mostInASecond = 50;
const leastInASecond = 1;
/** Beyond that, what hangs is only asked to hang more. */
const mostAtOnce = 100;

/** Questions at an even pace, each over a connection of its own. */
export class Probes {
  readonly share: number;
  readonly all: Probe[] = [];
  readonly #visitors: Visitors;
  readonly #ca: string | undefined;
  readonly #everyMs: number;
  readonly #open = new Set<Promise<void>>();
  #next = performance.now();

  /** @param share percent of the visitors who come to the service */
  constructor(visitors: Visitors, ca: string | undefined, share: number) {
    this.share = share;
    this.#visitors = visitors;
    this.#ca = ca;
    const wanted = Math.max(usual, (100 * comeToTheService) / share);
    const inASecond = (wanted * 1_000) / visitors.soak;
    this.#everyMs = 1_000 / Math.min(mostInASecond, Math.max(leastInASecond, inASecond));
  }

  /** One at the most: what a busy machine was late with is not made up for in a burst. */
  askWhatIsDue(): void {
    const now = performance.now();
    if (now < this.#next || this.#open.size >= mostAtOnce) return;
    this.#next = Math.max(this.#next + this.#everyMs, now);
    const asking = probe(this.#visitors.healthy, this.#ca)
      .then((answer) => void this.all.push(answer))
      .finally(() => this.#open.delete(asking));
    this.#open.add(asking);
  }

  async answered(): Promise<void> {
    await Promise.all(this.#open);
  }
}
