/**
 * Whether the machines agree on the time. Loss is measured on the database's clock alone, duration on the engine's alone, and positions
 * by LSN: a clock that is wrong spoils none of them. But it is said, and where a moment that a person chose would be mistaken for
 * another one, the run ends.
 */
import type { Found, ServiceMoment } from '../../activities/shapes.ts';
import type { ClockDifference } from '../../evidence/evidence.ts';
import { differenceInWords } from '../../evidence/outcome.ts';
import { aheadForCertain, clocksMayDifferMs, type Reading } from '../../recovery/clocks.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

export const database = 'the database';

/** Clocks that were read in the course of other checks. */
export class Clocks {
  readonly #readings: Reading[] = [];

  /** Asks for something that also tells the time. */
  async read<T extends { at: string }>(clock: string, ask: () => Promise<T>): Promise<T> {
    const askedAt = Date.now();
    const answer = await ask();
    this.#readings.push({ clock, at: answer.at, askedAt, answeredAt: Date.now() });
    return answer;
  }

  /** @throws ClockSkewed it cannot be told which moment a person has chosen */
  agree(run: Run, { workerAheadMs }: ServiceMoment, chosen: string | undefined): Promise<Found> {
    return run.check('The clocks agree', async () => {
      const worker: ClockDifference = { clock: 'the control worker', of: database, aheadMs: workerAheadMs };
      const clocks = [worker, ...differences(this.#readings)].filter(
        ({ aheadMs }) => Math.abs(aheadMs) >= clocksMayDifferMs,
      );
      const expected = `clocks that differ by less than ${clocksMayDifferMs / 1000} s`;
      const read = [worker.clock, ...this.#readings.map(({ clock }) => clock)];
      if (clocks.length === 0) return { found: `no difference is seen between ${read.join(', ')}`, expected };
      run.record({ clocks });
      const found = clocks.map(differenceInWords).join('; ');
      if (chosen !== undefined && clocks.includes(worker))
        throw failure(
          'ClockSkewed',
          `${found}. Commits are found by the database's clock: if that is wrong, ${chosen} is another moment than the one that is meant. Correct the clock, then start again.`,
        );
      return { found, expected };
    });
  }
}

/** Each against the database's. */
function differences(readings: Reading[]): ClockDifference[] {
  const reference = readings.find(({ clock }) => clock === database);
  if (reference === undefined) return [];
  return readings
    .filter((one) => one !== reference)
    .map((one) => ({ clock: one.clock, of: database, aheadMs: aheadForCertain(one, reference) }));
}
