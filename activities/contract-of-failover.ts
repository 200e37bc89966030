/** What an unplanned change of primary asks for: part of the contract, in a file of its own. */
import type { Member, PulseSettings } from '../plan/schema.ts';
import type { ReachedServer } from '../plan/sites.ts';
import type { Lsn } from '../recovery/archive.ts';
import type { Found } from './shapes.ts';

/** A fence by the plan's own commands, which the permit of `host` has to name word by word. */
export interface CommandFence {
  /** Where both are run. */
  host: string;
  victim: ReachedServer;
  fence: string[];
  confirm: string[];
  withinMs: number;
}

export interface FailoverControlReads {
  /** Acknowledged pulses past a position on this timeline: what a promotion there loses, as far as the log of pulses tells. */
  pulsesPast(ask: {
    pulse: PulseSettings;
    service: string;
    timeline: number;
    lsn: Lsn;
  }): Promise<Found & { past: number; spanMs: number; newest?: string }>;
}

export interface FailoverHostReads {
  /**
   * From the host of a standby: whether anything answers where the primary was, and whether the standby still receives from it. Looks again
   * and again for `withinMs`: one answer is enough to be alive.
   */
  primarySeenFrom(ask: {
    member: Member;
    primary: ReachedServer;
    withinMs: number;
  }): Promise<Found & { answers: boolean; receives: boolean }>;
  /**
   * A standby whose primary is fenced has replayed all that it will ever have.
   *
   * @throws StandbyUnfit it still receives, or does not come to its end, within the time
   */
  replayedAll(ask: { member: Member; withinMs: number }): Promise<Found & { lsn: Lsn; timeline: number }>;
  /** Runs only what reads back whether the fence holds. @throws NotFenced */
  confirmFence(ask: CommandFence): Promise<Found>;
}

export interface FailoverHostChanges {
  /**
   * The server can only start as a standby from then on, whoever starts it, and runs no longer: in order if it can, by force if it must.
   *
   * @throws ServerControlFailed a process of it does not end
   */
  fenceServer(ask: { member: Member; withinMs: number }): Promise<Found>;
  /** Undo of it. @param ask.ran it ran as a primary before, and is one again afterwards */
  unfenceServer(ask: { member: Member; ran: boolean; timeline: number; withinMs: number }): Promise<Found>;
  /**
   * Runs the plan's own command, and then the one that reads back whether it holds.
   *
   * @throws NotFenced one of them does not end with exit code 0
   */
  fenceByCommand(ask: CommandFence): Promise<Found>;
}
