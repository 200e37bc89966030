/** What a layer of tests came to, and how that is printed. */
import { stripVTControlCharacters } from 'node:util';

export interface Outcome {
  layer: string;
  passed: number;
  failed: number;
  skipped: number;
  tookMs: number;
  /** Of its tests. */
  failures: Failure[];
  /** Why it failed beyond its tests, one line each. */
  notes: string[];
}

export interface Failure {
  /** The file, and the test's name. */
  test: string;
  /** As the test told it, with the places in the code; may be empty. */
  why: string;
}

/** A layer that could not run, or not to its end, has failed once: it must never read as a success. */
export function notRun(layer: string, why: string, tookMs = 0): Outcome {
  return { layer, passed: 0, failed: 1, skipped: 0, tookMs, failures: [], notes: [why] };
}

/** Ends with what failed: whoever sees only the end of a long log must find there what to look for. */
export function renderTable(outcomes: Outcome[]): string {
  const rows = outcomes.map(({ layer, passed, failed, skipped, tookMs }) =>
    row(layer, `${passed}`, `${failed}`, `${skipped}`, `${(tookMs / 1000).toFixed(1)} s`),
  );
  const notes = outcomes.flatMap(({ layer, notes: each }) => each.map((note) => `! ${layer}: ${note}`));
  const failures = outcomes.flatMap((outcome) => outcome.failures.map(renderFailure));
  return ['', row('layer', 'passed', 'failed', 'skipped', 'time'), ...rows, ...notes, ...failures].join('\n');
}

const mostWords = 400;

function renderFailure({ test, why }: Failure): string {
  const lines = stripVTControlCharacters(why).split('\n');
  const place = lines.find((line) => /^\s+at (.*[(/ ])?(test|lab)\//.test(line))?.trim();
  const said = lines
    .filter((line) => !/^\s+at /.test(line))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, mostWords);
  return [`✗ ${test}`, said, place].filter((line) => line !== undefined && line !== '').join('\n    ');
}

export function lastLine(outcomes: Outcome[]): string {
  const sum = (of: 'passed' | 'failed') => outcomes.reduce((total, outcome) => total + outcome[of], 0);
  return `${sum('passed')} passed, ${sum('failed')} failed`;
}

function row(layer: string, ...numbers: string[]): string {
  return `${layer.padEnd(12)}${numbers.map((number) => number.padStart(9)).join('')}`;
}
