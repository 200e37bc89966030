/** What a layer of tests came to, and how that is printed. */

export interface Outcome {
  layer: string;
  passed: number;
  failed: number;
  skipped: number;
  tookMs: number;
  /** Why it failed beyond its tests, one line each. */
  notes: string[];
}

/** A layer that could not run, or not to its end, has failed once: it must never read as a success. */
export function notRun(layer: string, why: string, tookMs = 0): Outcome {
  return { layer, passed: 0, failed: 1, skipped: 0, tookMs, notes: [why] };
}

export function renderTable(outcomes: Outcome[]): string {
  const rows = outcomes.map(({ layer, passed, failed, skipped, tookMs }) =>
    row(layer, `${passed}`, `${failed}`, `${skipped}`, `${(tookMs / 1000).toFixed(1)} s`),
  );
  const notes = outcomes.flatMap(({ layer, notes: each }) => each.map((note) => `${layer}: ${note}`));
  return ['', row('layer', 'passed', 'failed', 'skipped', 'time'), ...rows, ...notes.map((note) => `! ${note}`)].join(
    '\n',
  );
}

export function lastLine(outcomes: Outcome[]): string {
  const sum = (of: 'passed' | 'failed') => outcomes.reduce((total, outcome) => total + outcome[of], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}

function row(layer: string, ...numbers: string[]): string {
  return `${layer.padEnd(12)}${numbers.map((number) => number.padStart(9)).join('')}`;
}
