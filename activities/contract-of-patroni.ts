/** What a cluster that Patroni keeps is asked for: part of the contract, in a file of its own. */
import type { Member, PatroniDatabase, PhysicalBackups } from '../plan/schema.ts';
import type { PatroniCluster } from '../recovery/patroni.ts';
import type { ServerFacts } from './contract-of-switchover.ts';
import type { Found } from './shapes.ts';

export interface PatroniAsk {
  database: PatroniDatabase;
  addresses: Record<string, string>;
}

/** Who leads after a change, which need not be who was asked for. */
export interface PatroniLeads extends Found {
  leader: string;
  timeline: number;
}

export interface PatroniControlReads {
  /**
   * What the store, Patroni on every host and the servers themselves say; contradictions are told, not judged.
   *
   * @param ask.withinMs so long a leader that writes is waited for, but where Patroni is paused or has no store
   */
  patroniState(ask: PatroniAsk & { withinMs?: number }): Promise<Found & PatroniCluster>;
  /**
   * Every member but those in `without` follows this leader on this timeline; waits for it.
   *
   * @throws PatroniUnsettled not within the time
   */
  patroniSettled(
    ask: PatroniAsk & { leader: string; timeline: number; without: string[]; withinMs: number },
  ): Promise<Found>;
}

export interface PatroniControlChanges {
  /**
   * Asks Patroni to change the primary, and waits until one leads that writes. Safe to repeat.
   *
   * @throws PatroniRefused it did not, and `from` leads as before @throws PatroniUnsettled nobody leads within the time
   */
  patroniSwitchover(
    ask: PatroniAsk & { from: string; to: string; timeline: number; withinMs: number },
  ): Promise<PatroniLeads>;
  /** Where nobody leads: asks Patroni to make this member the leader, whatever it lacks. Safe to repeat. */
  patroniFailover(ask: PatroniAsk & { to: string; timeline: number; withinMs: number }): Promise<PatroniLeads>;
}

export interface PatroniHostReads {
  /** What the live server of this host is; nobody but Patroni needs to be allowed to stop it. */
  memberFacts(ask: { member: Member; backups: PhysicalBackups }): Promise<ServerFacts>;
}
