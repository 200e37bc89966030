/** Shares of visitors as weights of a load balancer's servers. Pure. */

/** A server of the backend, as the load balancer sees it. */
export interface SharedServer {
  server: string;
  /** As it is set now. */
  weight: number;
  /** In the load balancer's own configuration. */
  configured: number;
  /** Its check lets it serve, or it has none. */
  up: boolean;
  /** Somebody has taken it out: maintenance or drain. */
  takenOut: boolean;
  /** Serves only while none of the others does: weights mean nothing to it then. */
  backup: boolean;
  sessions: number;
}

/** By server. */
export type Weights = Record<string, number>;

/** Who serves, and who gets what is left. */
export interface Sides {
  servers: readonly string[];
  closed?: string | undefined;
}

const greatestWeight = 256;

/** Two shares that are nearer than this are one: weights are whole numbers. Percent. */
const sameShareWithin = 0.5;

/**
 * Weights that give this share of the visitors to those who serve, as near as whole numbers come. Among themselves they stand to each other
 * as they are configured; at 100 they have exactly that.
 */
export function weightsFor({ servers, closed }: Sides, found: readonly SharedServer[], share: number): Weights {
  const configured = servers.map((name) => found.find(({ server }) => server === name)?.configured ?? 0);
  // Configured closed: then nothing is said of how they stand to each other.
  const own = configured.every((weight) => weight > 0) ? configured : servers.map(() => 1);
  const { serving, rest } = divided(own, share);
  return {
    ...Object.fromEntries(servers.map((name, index) => [name, serving[index] ?? 0])),
    ...(closed === undefined ? {} : { [closed]: rest }),
  };
}

interface Divided {
  serving: number[];
  rest: number;
}

function divided(own: readonly number[], share: number): Divided {
  if (share <= 0) return { serving: own.map(() => 0), rest: 100 };
  if (share >= 100) return { serving: [...own], rest: 0 };
  const heaviest = Math.max(...own);
  let best: (Divided & { off: number }) | undefined;
  // The heavier, the less is lost of how they stand to each other.
  for (let top = greatestWeight; top > 0; top -= 1) {
    const serving = own.map((weight) => Math.max(1, Math.round((weight * top) / heaviest)));
    const rest = Math.max(1, Math.round((sum(serving) * (100 - share)) / share));
    if (rest > greatestWeight) continue;
    const off = Math.abs((100 * sum(serving)) / (sum(serving) + rest) - share);
    if (best === undefined || off < best.off) best = { serving, rest, off };
  }
  return best ?? { serving: own.map(() => 1), rest: greatestWeight };
}

/** Percent of the visitors whom these weights lead to those who serve: nobody is led to a server that is down or taken out. */
export function shareOf({ servers }: Sides, found: readonly SharedServer[], weights?: Weights): number {
  const open = found.filter(({ up, takenOut, backup }) => up && !takenOut && !backup);
  const weighed = open.map(({ server, weight }) => ({ server, weight: weights?.[server] ?? weight }));
  const all = sum(weighed.map(({ weight }) => weight));
  const serving = weighed.filter(({ server }) => servers.includes(server));
  return all === 0 ? 0 : (100 * sum(serving.map(({ weight }) => weight))) / all;
}

/** The shares that are still to come on the way from one to another: up step by step, down at once. Percent. */
export function sharesBetween(shares: readonly number[], from: number, to: number): number[] {
  if (Math.abs(to - from) < sameShareWithin) return [];
  if (to < from) return [to];
  return [...shares.filter((share) => share >= from + sameShareWithin && share < to), to];
}

/** Those of the servers whose weights are neither the one nor the other: somebody else has set them. */
export function setByOthers(found: readonly SharedServer[], before: Weights, after: Weights): SharedServer[] {
  return found.filter(
    ({ server, weight }) => Object.hasOwn(after, server) && weight !== before[server] && weight !== after[server],
  );
}

/** `app1 13, app2 13, sorry 246` */
export function weightsInWords(weights: Weights): string {
  return Object.entries(weights)
    .map(([server, weight]) => `${server} ${weight}`)
    .join(', ');
}

/** `5 %`, `33.3 %` */
export function shareInWords(share: number): string {
  return `${Number(share.toFixed(1))} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
