/**
 * Calls of Slack's API that end in time, and say what is known of their effect. Slack has no key by which it would know a message that
 * it has had before: whether it has one is found out by looking.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { LogLevel, WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebClient } from '@slack/web-api';
import { formatDuration } from '../../evidence/format.ts';
import type { Posted } from '../contract.ts';
import { networkWords, noAnswer } from './network.ts';

/** Milliseconds for one request: of the time for all, at most a third, so that an answer that is lost can be looked for. */
const oneRequestMs = 6_000;
const firstPauseMs = 300;
const longestPauseMs = 3_000;
/** Seconds, where it does not say how many. */
const usualRestS = 30;

/** Slack does not take it now. */
export class SlackAway extends Error {
  readonly left: Pick<Posted, 'restUntil' | 'unsure' | 'thread' | 'toldMissed'>;

  constructor(message: string, left: SlackAway['left'] = {}) {
    super(message);
    this.left = left;
  }
}

/** Slack has understood, and does not do it: nothing was posted. */
export class SlackRefusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`it refuses: ${code}`);
    this.code = code;
  }
}

/** What is known of a call that went wrong. `underway`: it may still have its effect, later. */
type Wrong =
  | { is: 'refused'; code: string }
  | { is: 'rest'; ms: number; why: string }
  | { is: 'away'; why: string; effect: 'none' | 'perhaps' | 'underway' };

export class SlackLine {
  readonly client: WebClient;
  readonly #deadline: number;
  readonly #requestMs: number;

  constructor({ token, api }: { token: string; api?: string }, withinMs: number) {
    this.#deadline = performance.now() + withinMs;
    this.#requestMs = Math.min(oneRequestMs, Math.ceil(withinMs / 3));
    this.client = new WebClient(token, {
      ...(api === undefined ? {} : { slackApiUrl: api.replace(/\/*$/, '/') }),
      // Its own retries would send a message again without a look whether the first has arrived.
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: this.#requestMs,
      logLevel: LogLevel.ERROR,
      logger: silent,
    });
  }

  get leftMs(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  /** Waits until a moment at which Slack wants to be called again. @throws SlackAway it is too far away */
  async rest(until: string | undefined): Promise<void> {
    const ms = Date.parse(until ?? '') - Date.now();
    if (Number.isFinite(ms) && ms > 0) await this.#restFor(ms, 'it wants to be left alone');
  }

  /** For what may be done twice without harm. */
  async repeat<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        await this.#after(wrongOf(error, this.#requestMs), attempt);
      }
    }
  }

  /** For what must not be done twice: before another attempt it is looked for. @param there it may have been done before */
  async once<T>(call: () => Promise<T>, look: () => Promise<T | undefined>, there: boolean): Promise<T> {
    let effect: 'none' | 'perhaps' | 'underway' = there ? 'perhaps' : 'none';
    for (let attempt = 1; ; attempt += 1) {
      try {
        const found = effect === 'none' ? undefined : await this.repeat(look);
        if (found !== undefined) return found;
        if (effect !== 'underway') return await call();
        await this.#after({ is: 'away', why: noAnswer(this.#requestMs), effect }, attempt);
      } catch (error) {
        if (error instanceof SlackAway)
          throw effect === 'none' ? error : new SlackAway(error.message, { ...error.left, unsure: true });
        const wrong = wrongOf(error, this.#requestMs);
        // What is under way stays so: sent again, it could arrive twice.
        if (wrong.is === 'away' && effect !== 'underway' && wrong.effect !== 'none') effect = wrong.effect;
        await this.#after(wrong, attempt).catch((away: unknown) => {
          throw away instanceof SlackAway && effect !== 'none'
            ? new SlackAway(away.message, { ...away.left, unsure: true })
            : away;
        });
      }
    }
  }

  async #after(wrong: Wrong, attempt: number): Promise<void> {
    if (wrong.is === 'refused') throw new SlackRefusal(wrong.code);
    if (wrong.is === 'rest') return this.#restFor(wrong.ms, wrong.why);
    const ms = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
    if (ms >= this.leftMs) throw new SlackAway(wrong.why);
    await pause(ms);
  }

  async #restFor(ms: number, why: string): Promise<void> {
    if (ms >= this.leftMs)
      throw new SlackAway(`${why} for ${formatDuration(ms)}`, { restUntil: new Date(Date.now() + ms).toISOString() });
    await pause(ms);
  }
}

/** Slack's own words for a fault of its own; whatever else it says is a refusal. */
const faults = [
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
  'team_added_to_org',
];

function wrongOf(error: unknown, requestMs: number): Wrong {
  if (error instanceof SlackRefusal) return { is: 'refused', code: error.code };
  if (error instanceof StrangeAnswer) return { is: 'away', why: error.message, effect: 'perhaps' };
  if (error instanceof WebAPIRateLimitedError) return restOf(error.retryAfter);
  if (error instanceof WebAPIPlatformError) return saidNo(error.data.error);
  if (error instanceof WebAPIHTTPError) {
    const why = `it answered ${error.statusCode}`;
    return error.statusCode >= 500 ? { is: 'away', why, effect: 'perhaps' } : { is: 'refused', code: why };
  }
  // The library throws a plain error when a 429 does not say for how long.
  if (error instanceof Error && error.message.startsWith('Retry header')) return restOf(Number.NaN);
  const why = networkWords(error, requestMs);
  if (why === noAnswer(requestMs)) return { is: 'away', why, effect: 'underway' };
  return { is: 'away', why, effect: neverSent.test(why) ? 'none' : 'perhaps' };
}

const neverSent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

function restOf(seconds: number): Wrong {
  return {
    is: 'rest',
    ms: (Number.isFinite(seconds) ? Math.max(1, seconds) : usualRestS) * 1_000,
    why: 'it wants to be left alone (429)',
  };
}

/** What is no word of Slack's, such as a page of a proxy, says nothing of what became of the call; and it is not repeated. */
function saidNo(said: unknown): Wrong {
  if (typeof said !== 'string' || !/^[a-z_]{3,60}$/.test(said))
    return { is: 'away', why: new StrangeAnswer().message, effect: 'perhaps' };
  return faults.includes(said) ? { is: 'away', why: said, effect: 'perhaps' } : { is: 'refused', code: said };
}

/** It says that all is well, and leaves out what belongs to that. */
export class StrangeAnswer extends Error {
  constructor() {
    super('its answer makes no sense');
  }
}

// What it would log is told in the answer; and it logs requests, in which a token may stand.
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};
