/** Whether a share of the visitors is served well, judged over a stretch of time: one answer alone decides nothing. Pure. */

/** One question from outside, through the front that visitors use. */
export interface Probe {
  /** When it was asked; milliseconds of any one clock. */
  at: number;
  /** By the server that was meant, as the plan says how a healthy one answers. */
  healthy: boolean;
  tookMs: number;
  /** Absent when there was an answer, whatever it was. */
  silent?: string;
  /** Of one that is not healthy: what came instead. */
  saw?: string;
}

/** What the load balancer has counted since the count before, of the servers that serve. */
export interface Counted {
  at: number;
  answers: number;
  /** Of the answers: errors of the server, connections that failed. */
  failed: number;
}

export interface Limits {
  /** Percent of the visitors who are led to the service. */
  share: number;
  errorsPercent: number;
  latencyMs: number;
}

export interface Judged {
  probes: number;
  healthy: number;
  /** So many of the probes should have come to the service. */
  due: number;
  /** Of the healthy ones; absent when there are none. */
  p95Ms?: number;
  answers: number;
  failed: number;
  /** One sentence for each limit that does not hold; empty: the share is served well. */
  against: string[];
}

/** `sure`: in the middle of a soak, where few have answered yet, only what would hardly be chance stands against it. */
export function judge(
  probes: readonly Probe[],
  counts: readonly Counted[],
  limits: Limits,
  how: 'plainly' | 'sure' = 'plainly',
): Judged {
  const healthy = probes.filter((one) => one.healthy);
  const answers = sum(counts.map((one) => one.answers));
  const failed = sum(counts.map((one) => one.failed));
  const due = (probes.length * limits.share) / 100;
  const p95 = percentile(
    healthy.map(({ tookMs }) => tookMs),
    0.95,
  );
  return {
    ...{ probes: probes.length, healthy: healthy.length, due, answers, failed },
    ...(p95 === undefined ? {} : { p95Ms: p95 }),
    against: [
      ...countedErrors(answers, failed, limits, how),
      ...probedErrors(probes, healthy.length, limits, how),
      ...tooFewHealthy(healthy.length, due, limits, how),
      ...tooSlow(healthy, limits, how),
    ],
  };
}

/** What is above by chance alone is not above; and never is a single one. */
function above(number: number, of: number, limitPercent: number, how: 'plainly' | 'sure'): boolean {
  if (of === 0 || number < 2) return false;
  const least = how === 'sure' ? number - 2 * Math.sqrt(number) : number;
  return (100 * least) / of > limitPercent;
}

function countedErrors(answers: number, failed: number, { errorsPercent }: Limits, how: 'plainly' | 'sure'): string[] {
  if (!above(failed, answers, errorsPercent, how)) return [];
  return [`the load balancer counts ${failed} of ${answers} answers as failed (${part(failed, answers)})`];
}

/** Beside a share it is not known whose an answer was that is not healthy; that there was none is an error of somebody. */
function probedErrors(
  probes: readonly Probe[],
  healthy: number,
  { share, errorsPercent }: Limits,
  how: 'plainly' | 'sure',
): string[] {
  const bad = probes.filter((one) => (share >= 100 ? !one.healthy : one.silent !== undefined));
  const all = healthy + bad.length;
  if (!above(bad.length, all, errorsPercent, how)) return [];
  const last = bad.at(-1);
  return [
    `${bad.length} of ${all} probes have failed (${part(bad.length, all)}), the last one with: ${last?.silent ?? last?.saw ?? 'another answer'}`,
  ];
}

/** Who comes to which server is chance where others come too: four standard deviations less are none. */
function tooFewHealthy(healthy: number, due: number, { share }: Limits, how: 'plainly' | 'sure'): string[] {
  if (share >= 100 || how === 'sure' || due < 5) return [];
  const least = Math.max(1, due - 4 * Math.sqrt(due));
  if (healthy >= least) return [];
  return [`${healthy} probes have had a healthy answer, and about ${Math.round(due)} should have`];
}

function tooSlow(healthy: readonly Probe[], { latencyMs }: Limits, how: 'plainly' | 'sure'): string[] {
  const slow = healthy.filter(({ tookMs }) => tookMs > latencyMs);
  if (!above(slow.length, healthy.length, 5, how)) return [];
  return [
    `${slow.length} of ${healthy.length} healthy answers took longer than ${latencyMs} ms (${part(slow.length, healthy.length)})`,
  ];
}

function percentile(numbers: readonly number[], which: number): number | undefined {
  const sorted = numbers.toSorted((one, other) => one - other);
  const found = sorted[Math.max(0, Math.ceil(which * sorted.length) - 1)];
  return found === undefined ? undefined : Math.round(found);
}

function part(number: number, of: number): string {
  return `${Number(((100 * number) / of).toFixed(1))} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
