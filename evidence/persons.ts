/** People of a plan in words, and the answer that one of them gets. */

/** Names as reports show them, by id. */
export type Persons = Readonly<Record<string, string>>;

/** What becomes of a message. */
export interface Verdict {
  counted: boolean;
  /** Shown red: the sender has to do something else. */
  refused: boolean;
  /** What the sender is answered. */
  said: string;
}

export const unsignedWords =
  'Not counted: a live run counts only what is signed (people.unsigned). Sign it with your key (lifeboat keys create), or use Slack.';

export function isPerson(persons: Persons, id: string): boolean {
  return Object.hasOwn(persons, id);
}

/** `Ana, Ben and Cem`, by their ids. */
export function named(persons: Persons, ids: readonly string[]): string {
  return and(ids.map((id) => (isPerson(persons, id) ? (persons[id] ?? id) : id)));
}

/** `a`, `a and b`, `a, b and c`, `nobody`. */
export function and(words: readonly string[]): string {
  const last = words.at(-1) ?? 'nobody';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

export function strangerWords(by: string): string {
  return `Not counted: nobody is called "${by}" in the plan (people.persons).`;
}
