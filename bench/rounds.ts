/** Contestants take turns, so that whatever happens to the machine happens to all of them. */

/** Each in turn, and each round begins with another one. */
function turns<N extends string>(names: readonly N[], rounds: number): { round: number; name: N }[] {
  return Array.from({ length: rounds }, (_none, round) =>
    names.map((_name, place) => ({ round, name: names[(round + place) % names.length] as N })),
  ).flat();
}

/** What each contestant's turns gave, in the order of the rounds. */
export async function compete<N extends string, T>(
  names: readonly N[],
  rounds: number,
  turn: (name: N, round: number) => Promise<T>,
): Promise<Record<N, T[]>> {
  const given = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<N, T[]>;
  for (const { name, round } of turns(names, rounds)) given[name].push(await turn(name, round));
  return given;
}
