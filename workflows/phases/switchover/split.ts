/** Two servers that write: then rather none. Nothing else is done about it; which one is right is for people to find out. */
import { addresses } from '../../../plan/hosts.ts';
import { doorOf } from '../../../plan/sites.ts';
import { openByHand } from '../../../recovery/left-standing.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { closeDoors, doorWasClosed } from '../front-door.ts';
import type { Pair } from './pair.ts';

/** Two servers write meanwhile. */
const attempts = 3;

type Two = Pick<Pair, 'from' | 'to' | 'systemIdentifier'>;

export class Split {
  readonly #run: Run;
  readonly #pair: Two;
  readonly #timeline: number;

  constructor(run: Run, pair: Two, { timeline }: { timeline: number }) {
    this.#run = run;
    this.#pair = pair;
    this.#timeline = timeline;
  }

  /** The step that has closed the door is the one that is tried again once people have ended the split: then it opens first. */
  async closesTheDoor<T>(look: () => Promise<T>): Promise<T> {
    if (this.#run.evidence.doorClosed !== undefined) await this.#openAgain();
    try {
      return await look();
    } catch (error) {
      const { type, message } = failureOf(error);
      if (type !== 'SplitBrain') throw error;
      throw failure('SplitBrain', `${message} ${await this.#close()}`);
    }
  }

  async #openAgain(): Promise<void> {
    const { to, systemIdentifier } = this.#pair;
    const { traffic, database } = doorOf(this.#run.plan, to.host);
    await this.#run.control.openDoor({
      ...{ traffic, database, addresses: addresses(this.#run.plan) },
      ...{ to: to.host, timeline: this.#timeline, systemIdentifier },
    });
    this.#run.doorOpens();
  }

  async #close(): Promise<string> {
    const { from, to } = this.#pair;
    const { traffic } = doorOf(this.#run.plan, to.host);
    this.#run.doorCloses({
      why: `${from.host} and ${to.host} have both said that they are the primary.`,
      byHand: `Stop one of them, compare what each has written, and only then open it to the other: ${openByHand(traffic)}`,
    });
    // How long it was closed for the change of places is no longer how long nobody could write.
    this.#run.forget(doorWasClosed);
    return closeDoors(this.#run, this.#run.controlWithin(attempts), [to, from]).then(
      () => 'The front door was closed.',
      (why) => `The front door could not be closed, do it at once: ${failureOf(why).message}`,
    );
  }
}
