import type { ApplicationState } from '../contract.ts';
import type { Found } from '../shapes.ts';

/** How long each may take, milliseconds. */
export interface ApplicationTimes {
  startsWithinMs: number;
  stopsWithinMs: number;
  /** It counts as started once it has run for so long, in one piece. */
  staysUpMs: number;
  /** How long after a start it may take to say that it is healthy. */
  healthyWithinMs: number;
}

/** What Lifeboat needs of whoever keeps an application. Each asks first whether it is permitted. */
export interface ApplicationKind {
  /** As people know it: `orders.service on app1`. */
  name: string;
  times: ApplicationTimes;
  /** @param health whether it is asked for its health too, where it runs */
  look(health: boolean): Promise<ApplicationState>;
  /** What it has written last, as far as that may be read. */
  lastWords(): Promise<string[]>;
  /** @throws NotPermitted @throws ApplicationUnfit */
  mayBeChanged(quiesce: boolean): Promise<Found>;
  /** Returns once it is under way; what becomes of it is for `look` to say. Told twice, it is done once. @throws ApplicationUnfit */
  tell(what: 'start' | 'restart' | 'stop'): Promise<void>;
  /** Nobody can start it from then on. Does not stop it. @throws ApplicationUnfit @throws NotPermitted */
  keepDown(by: string): Promise<void>;
  /** It can be started again. */
  letStart(): Promise<void>;
  /** The words by which whoever keeps it down is told, when that is `by`. */
  keptDownBy(by: string, state: ApplicationState): boolean;
}
