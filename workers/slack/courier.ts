/** Brings clicks to their runs: in order, each once, and as long as it takes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ClickEnd, SlackClick } from './click.ts';
import type { Silent } from './deliver.ts';
import type { Journal } from './journal.ts';

export interface CourierOptions {
  journal: Journal;
  deliver(click: SlackClick): Promise<ClickEnd | Silent>;
  /** Says something to the person who has clicked. Never throws. */
  answer(click: SlackClick, words: string): Promise<void>;
  /** Shows everybody what the click has changed. Never throws. */
  show(click: SlackClick): Promise<void>;
  /** Hears what became of each. */
  count?: (outcome: ClickEnd['outcome']) => void;
  logger: Logger;
  /** Between two tries. */
  pauseMs?: (tries: number) => number;
}

/** Longer than anybody waits for a decision: after it, a click of then means nothing any more. */
const giveUpAfterMs = 12 * 60 * 60_000;

const usualPauseMs = (tries: number): number => Math.min(15_000, 500 * 2 ** tries);

export class Courier {
  readonly #options: CourierOptions;
  /** Of each run the newest click: the next one waits for it. */
  readonly #queues = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #waiting = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Clicks that have not reached their run. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes up what an earlier gateway has left. */
  async resume(): Promise<number> {
    const clicks = await this.#options.journal.unanswered();
    for (const click of clicks) this.#enqueue(click);
    return clicks.length;
  }

  /** Keeps a click and sees to it; returns once it is safe on disk. A click that is known already does nothing. */
  async take(click: SlackClick): Promise<void> {
    const { journal, logger } = this.#options;
    const isNew = await journal.keep(click).catch((error: unknown) => {
      // A full disk must not cost anybody their click.
      logger.error(
        { click: click.key, error: wordsOf(error) },
        'this click could not be kept, and is delivered all the same',
      );
      return true;
    });
    if (isNew) this.#enqueue(click);
    else logger.warn({ click: click.key, user: click.user }, 'delivered a second time by Slack: it does nothing');
  }

  /** Ends after what is being delivered; the rest stays on disk for the next gateway. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#queues.values());
  }

  #enqueue(click: SlackClick): void {
    const before = this.#queues.get(click.run) ?? Promise.resolve();
    this.#waiting += 1;
    const mine = before
      .then(() => this.#bring(click))
      .catch((error: unknown) => {
        this.#options.logger.error({ click: click.key, error: wordsOf(error) }, 'this click was not delivered');
      })
      .finally(() => {
        this.#waiting -= 1;
        if (this.#queues.get(click.run) === mine) this.#queues.delete(click.run);
      });
    this.#queues.set(click.run, mine);
  }

  async #bring(click: SlackClick): Promise<void> {
    const { journal, answer, show, logger } = this.#options;
    const end = await this.#insist(click);
    if (end === undefined) return;
    this.#options.count?.(end.outcome);
    await journal.answered(click, end).catch((error: unknown) => {
      logger.error({ click: click.key, error: wordsOf(error) }, 'what became of this click could not be written down');
    });
    logger.info({ click: click.key, user: click.user, run: click.run, ...end }, 'click');
    const sign = end.outcome === 'counted' ? '✓' : '✗';
    await answer(click, `${sign} ${end.said}`);
    if (end.outcome !== 'stranger') await show(click);
  }

  /** `undefined`: the gateway ends first. */
  async #insist(click: SlackClick): Promise<ClickEnd | undefined> {
    const { deliver, answer, logger, pauseMs = usualPauseMs } = this.#options;
    for (let tries = 0; !this.#stop.signal.aborted; tries += 1) {
      const end = await attempt(() => deliver(click));
      if ('outcome' in end) return end;
      logger.warn({ click: click.key, why: end.silent, tries }, 'the run does not answer, trying again');
      if (tries === 0)
        await answer(
          click,
          `… The run does not answer (${end.silent}). Your click is kept, and you will hear what comes of it. The command line may be faster: lifeboat status.`,
        );
      if (Date.now() - Date.parse(click.at) > giveUpAfterMs)
        return {
          outcome: 'undelivered',
          said: `The run has not answered for ${giveUpAfterMs / 3_600_000} h (${end.silent}). This click was given up.`,
        };
      await pause(pauseMs(tries), undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    return undefined;
  }
}

/** A mistake of ours is said to the person who has clicked, too: they wait for an answer. */
async function attempt(deliver: () => Promise<ClickEnd | Silent>): Promise<ClickEnd | Silent> {
  try {
    return await deliver();
  } catch (error) {
    return {
      outcome: 'undelivered',
      said: `This click could not be delivered: ${wordsOf(error)}. Use the command line: lifeboat status.`,
    };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
