/** In which order components come back: each when everything is there that it stands on, and side by side where nothing is between them. */

/** By name, what each stands on. */
export type Standings = Readonly<Record<string, { after: readonly string[] }>>;

type Branch = () => Promise<void>;

/**
 * One branch for each name, to be begun all at once: each waits for those that it stands on.
 *
 * @param names what is brought back; what is not among them is there already
 */
export function inOrder(
  components: Standings,
  names: readonly string[],
  begin: (name: string) => Promise<void>,
): Branch[] {
  const begun = new Map<string, Promise<void>>();
  const afterOthers = async (name: string): Promise<void> => {
    await Promise.all(standsOn(components, name, names).map(once));
    await begin(name);
  };
  const once = (name: string): Promise<void> => {
    const known = begun.get(name);
    if (known !== undefined) return known;
    const one = afterOthers(name);
    begun.set(name, one);
    return one;
  };
  return names.map((name) => () => once(name));
}

/** Those of `names` that a component stands on, over others that are there already too. */
export function standsOn(components: Standings, name: string, names: readonly string[]): string[] {
  const seen = new Set<string>();
  const walk = (at: string): string[] =>
    (components[at]?.after ?? []).flatMap((below) => {
      if (seen.has(below)) return [];
      seen.add(below);
      return names.includes(below) ? [below] : walk(below);
    });
  return walk(name);
}
