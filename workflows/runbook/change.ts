/** What a change is: said before it is done, done once, taken back. */
import type { FailureType } from '../../evidence/failures.ts';

/** What a change would do: said in every mode before anything is done. */
export interface Preview<T> {
  will: string;
  /** How long it is expected to take, milliseconds; absent where nobody can tell. */
  takesMs?: number;
  /** What the next line of the runbook works with in a dry run. */
  yields: T;
}

/** Why there is no way back; abort shows this sentence once the change is done, as it is true at that moment. */
export interface PointOfNoReturn {
  pointOfNoReturn: string | (() => string);
  /** From the beginning of its `apply`, what was armed before can no longer be undone either: two servers would write. */
  seals?: true;
}

/** The undo of an earlier change, by its name, takes this one back too. */
export interface UndoneWith {
  undoneWith: string;
}

/** How the run goes on without a step. */
export interface Skip<T> {
  yields: T;
}

export interface Change<T> {
  /** Reads only. Guards that it returns are compared by `apply`. */
  preview(): Promise<Preview<T>>;
  /** Probe, act, verify. Never called in a dry run. */
  apply(preview: Preview<T>): Promise<T>;
  /** Armed before `apply`; copes with a half-done one. */
  undo: ((preview: Preview<T>) => Promise<unknown>) | PointOfNoReturn | UndoneWith;
  /** It can be taken back until it has been done, and not after: somebody else decides when that is. */
  onceDone?: PointOfNoReturn;
  /** Its undo gives the service its front door back. */
  opensDoor?: true;
  /** What a skipped step yields; without it the step is critical, and a decision offers no skip. */
  skip?: Skip<T>;
  /** It makes something that this run alone uses and throws away: it is made anew when a reset has taken it from under the run. */
  throwAway?: true;
  /** Writes are stopped meanwhile: what fails before its point of no return is put to nobody, the run is undone at once. */
  urgent?: true;
  /** Failures that must not spoil the rest of the run: the step counts as skipped, says why, and yields this. */
  passOver?: { types: readonly FailureType[]; yields: T };
}
