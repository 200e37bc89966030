/** Applications that somebody keeps, in memory: one that runs, unless a test says otherwise. */
import type { ApplicationChanges, ApplicationReads, ApplicationState } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';

export class FakeApplication {
  runs: ApplicationState['runs'] = 'up';
  healthy = true;
  /** Tells one start from another. */
  start = 1;
  quiesced: string | undefined;
  unfit: string | undefined;
  /** What sudo says. */
  permitted = true;
  /** It comes back without help when it is waited for. */
  comesBack = false;
  /** Whether a start does it any good. */
  curable = true;

  reads(): ApplicationReads {
    return {
      applicationState: async () => this.#state(),
      applicationMayBeChanged: async ({ application }) => {
        if (!this.permitted) throw failure('NotPermitted', `sudo does not let this user start ${application.unit}`);
        return { found: 'sudo lets this user change it' };
      },
      applicationComesBack: async () => {
        if (this.comesBack) this.#up();
        return {
          back: this.comesBack,
          state: this.#state(),
          found: this.comesBack ? 'came back' : 'did not come back',
        };
      },
      applicationStands: async () => {
        const { found } = this.#state();
        if (this.runs !== 'up' || !this.healthy) throw failure('ApplicationDown', `it does not stand: ${found}`);
        return { found, at: '2026-11-21T14:10:00.000Z' };
      },
      applicationIsQuiet: async () => {
        if (this.runs === 'up' || this.quiesced === undefined) throw failure('ApplicationDown', 'it is not quiet');
        return { found: this.quiesced };
      },
    };
  }

  changes(): ApplicationChanges {
    return {
      startApplication: async () => {
        if (this.runs !== 'up') this.#begin();
        return { found: 'started' };
      },
      restartApplication: async ({ from }) => {
        if (from.start !== undefined && from.start !== String(this.start))
          throw failure('Moved', 'it was started anew meanwhile');
        this.#begin();
        return { found: 'restarted' };
      },
      stopApplication: async () => {
        this.runs = 'stopped';
        return { found: 'stopped' };
      },
      quiesceApplication: async ({ by }) => {
        this.quiesced = `quiesced by ${by}`;
        this.runs = 'stopped';
        return { found: 'quiet' };
      },
      resumeApplication: async ({ start }) => {
        this.quiesced = undefined;
        if (start) this.#begin();
        return { found: 'resumed' };
      },
    };
  }

  #begin(): void {
    this.start += 1;
    if (this.curable) this.#up();
    else this.runs = 'failed';
  }

  #up(): void {
    this.runs = 'up';
    this.healthy = true;
  }

  #state(): ApplicationState {
    const { runs, healthy, start, quiesced, unfit } = this;
    return {
      runs,
      restarts: 0,
      ...(runs === 'up'
        ? { start: String(start), health: { healthy, words: healthy ? 'answers 200' : 'answers 503' } }
        : {}),
      ...(quiesced === undefined ? {} : { quiesced }),
      ...(unfit === undefined ? {} : { unfit }),
      found: `orders.service: ${runs}${runs === 'up' && !healthy ? ', answers 503' : ''}${quiesced ? `, ${quiesced}` : ''}`,
      expected: 'active (running)',
    };
  }
}
