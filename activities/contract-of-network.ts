/** What a diagnosis of the network asks for: part of the contract, in a file of its own. Nothing of it changes anything. */
import type { Entry } from '../plan/entry.ts';
import type { ResolverAnswer } from './contract-of-entry.ts';
import type { Found } from './shapes.ts';

/** What is wrong is an answer, as what is well. */
export interface NetworkFinding extends Found {
  well: boolean;
  /** What a person could do about it, in words. */
  proposal?: string;
}

export interface NameAnswers extends Found {
  /** Who keeps the zone: what it says of the name, or why it says nothing. */
  authority: { value?: string; ttlSeconds?: number; site?: string; why?: string };
  resolvers: ResolverAnswer[];
}

export interface NetworkReads {
  /** Who keeps the zone and each resolver of the plan, side by side: one that is silent hides no other. */
  nameAnswers(ask: { entry: Entry }): Promise<NameAnswers>;
  /** Until when the certificate of an https address holds, and whether it is believed. @throws PlanInvalid caFile cannot be read */
  certificateOf(ask: { url: string; caFile?: string }): Promise<NetworkFinding & { endsAt?: string }>;
  portAnswers(ask: { host: string; port: number }): Promise<NetworkFinding>;
  /** Asked several times: one answer in five may be lost, more is a finding. @throws PlanInvalid caFile cannot be read */
  webAnswers(ask: { url: string; withinMs: number; caFile?: string }): Promise<NetworkFinding>;
}
