/** Who there is: the people of the plan as the rules of approvals and decisions need them. */
import type { ControlReads } from '../../../activities/contract.ts';
import type { Mode } from '../../../evidence/evidence.ts';
import type { Persons } from '../../../evidence/persons.ts';
import type { Plan } from '../../../plan/schema.ts';
import type { Record } from '../record.ts';
import type { Stubs } from '../step.ts';

export interface House {
  plan: Plan;
  mode: Mode;
  record: Record;
  control: Stubs<ControlReads>;
}

export function personsOf({ people }: Pick<Plan, 'people'>): Persons {
  return Object.fromEntries(Object.entries(people?.persons ?? {}).map(([id, { name }]) => [id, name]));
}

/** Everybody in these groups, each once, but for whoever is left out. */
export function membersOf({ people }: Pick<Plan, 'people'>, groups: readonly string[], without?: string): string[] {
  const known = people?.groups ?? {};
  const all = groups.flatMap((group) => (Object.hasOwn(known, group) ? (known[group] ?? []) : []));
  return [...new Set(all)].filter((person) => person !== without);
}

/** With a key of their own, or through the gateway, which knows them by their Slack id. */
export function canSign({ people }: Pick<Plan, 'people'>, id: string): boolean {
  const person = people !== undefined && Object.hasOwn(people.persons, id) ? people.persons[id] : undefined;
  return (
    person !== undefined && (person.keys.length > 0 || (person.slack !== undefined && people?.slack !== undefined))
  );
}

/** A drill changes nothing that matters: there people are taken at their word. */
export function signedOnly({ plan, mode }: Pick<House, 'plan' | 'mode'>): boolean {
  return mode === 'live' && plan.people?.unsigned !== 'allowed';
}

/** UTC, as the evidence writes it. */
export function isoNow(): string {
  return new Date(Date.now()).toISOString();
}
