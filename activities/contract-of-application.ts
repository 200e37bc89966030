/**
 * What an application asks for that somebody keeps: part of the contract, in a file of its own. Who is asked follows from its kind: a host
 * worker beside systemd.
 */
import type { ComponentOf } from '../plan/components.ts';
import type { Found } from './shapes.ts';

/** Components that are started, stopped and told to be quiet. */
export type ApplicationComponent = ComponentOf<'systemd'>;

/** A unit as systemd itself tells of it. */
export interface UnitFacts {
  activeState: string;
  subState: string;
  /** Of its last end: `success`, `exit-code`, `timeout`, `start-limit-hit`. */
  result: string;
  /** Its file has changed since systemd has read it. */
  needsReload: boolean;
  /** Where it is described; absent when there is no such unit. */
  file?: string;
}

/** What a guard compares. */
export interface SeenApplication {
  /** `changing`: on its way up or down; `stopped`: in order, by itself or by somebody; of `failed` and `stopped` nothing comes by itself. */
  runs: 'up' | 'changing' | 'failed' | 'stopped';
  /** Tells one start from another: systemd's invocation. Absent when it does not run. */
  start?: string;
  /** How often it was started again by whoever keeps it, since somebody else has started it. */
  restarts: number;
  /** Whoever has quiesced it, and when, in words; absent when nobody has. */
  quiesced?: string;
}

export interface ApplicationState extends Found, SeenApplication {
  /** What it says of itself; absent where the plan does not say how it is asked, and where it does not run. */
  health?: { healthy: boolean; words: string };
  /** Why nobody can start it as it stands, and what to do: there is no such unit. */
  unfit?: string;
  unit?: UnitFacts;
}

export interface ApplicationReads {
  /** How it stands at this moment. What is wrong with it is told, and fails nothing here. @throws NotPermitted */
  applicationState(ask: { application: ApplicationComponent }): Promise<ApplicationState>;
  /**
   * Whether everything may be done to it that could be needed: better learned now than half way.
   *
   * @param ask.quiesce it is also to be kept from being started
   * @throws NotPermitted names the line that an administrator would add @throws ApplicationUnfit
   */
  applicationMayBeChanged(ask: { application: ApplicationComponent; quiesce: boolean }): Promise<Found>;
  /** Waits for it to come back without anybody's help; ends as soon as that cannot happen any more. */
  applicationComesBack(ask: {
    application: ApplicationComponent;
    withinMs: number;
  }): Promise<Found & { back: boolean; state: ApplicationState }>;
  /**
   * It stays up in one piece, and says that it is healthy.
   *
   * @throws ApplicationDown with what was seen last
   */
  applicationStands(ask: { application: ApplicationComponent }): Promise<Found & { at: string }>;
  /** It does not run, and nobody can start it. @throws ApplicationDown it runs, or can be started */
  applicationIsQuiet(ask: { application: ApplicationComponent }): Promise<Found>;
}

/** @param from as it was seen before: what has become another is not touched */
interface ApplicationAsk {
  application: ApplicationComponent;
  from: SeenApplication;
}

export interface ApplicationChanges {
  /**
   * Returns once it has stayed up for a while. What runs already is left alone.
   *
   * @throws Moved somebody has quiesced it meanwhile @throws ApplicationDown it dies, or does not come up in its time
   * @throws ApplicationUnfit @throws NotPermitted
   */
  startApplication(ask: ApplicationAsk): Promise<Found>;
  /** The same for one that runs. @throws Moved somebody else has stopped, restarted or quiesced it meanwhile */
  restartApplication(ask: ApplicationAsk): Promise<Found>;
  /** Undo of a start: it is down again, as it was found. */
  stopApplication(ask: { application: ApplicationComponent }): Promise<Found>;
  /**
   * Nobody can start it from then on, also after a reboot where the file lies on a disk, and it runs no longer.
   *
   * @param ask.by the run, told to whoever finds it
   * @throws Moved somebody else has quiesced it @throws ApplicationDown it does not stop in its time
   */
  quiesceApplication(ask: ApplicationAsk & { by: string }): Promise<Found>;
  /**
   * Undo of it, and the end of a pause.
   *
   * @param ask.start it is started, too
   * @param ask.by the run that has quiesced it itself
   * @throws Moved somebody else has quiesced it since it was seen
   */
  resumeApplication(ask: ApplicationAsk & { start: boolean; by?: string }): Promise<Found>;
}
