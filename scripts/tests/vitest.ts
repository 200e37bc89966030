/** Runs one Vitest project and counts what it came to. */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { type Failure, notRun, type Outcome } from './outcome.ts';
import { endToEndFiles, passedOver } from './usual.ts';

/** Far beyond what any layer takes: what is still running then hangs. */
const longestMs = { usual: 40 * 60_000, all: 6 * 60 * 60_000 } as const;

const endToEnd = 'test/e2e';

/** The part of Vitest's JSON report that is counted and told. */
interface Report {
  testResults: { name: string; status: string; message?: string; assertionResults: Assertion[] }[];
}

interface Assertion {
  status: string;
  fullName: string;
  failureMessages?: string[];
}

export interface LayerRun {
  layer: string;
  filters: string[];
  /** Also what takes hours. */
  all: boolean;
  /** Draws what a usual run takes of what is long. */
  seed: number;
  /** For reports; not the folder of the tests. */
  reports: string;
  env: Record<string, string>;
  /** Ends the layer in order. */
  signal: AbortSignal;
}

export async function runVitest({ layer, filters, all, seed, reports, env, signal }: LayerRun): Promise<Outcome> {
  const startedAt = Date.now();
  const withinMs = all ? longestMs.all : longestMs.usual;
  const file = join(reports, `${layer}.json`);
  const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const over = layer === 'e2e' && !all && filters.length === 0 ? passedOver(await endToEndFiles(endToEnd), seed) : [];
  if (over.length > 0) console.log(`passed over by this draw, run by --all: ${over.join(', ')}`);
  const excluded = over.flatMap((name) => ['--exclude', join(endToEnd, name)]);
  const { exitCode, timedOut, isTerminated } = await execa(
    'vitest',
    ['run', '--project', layer, ...report, ...excluded, ...filters],
    {
      preferLocal: true,
      stdio: 'inherit',
      env,
      reject: false,
      timeout: withinMs,
      cancelSignal: signal,
      // Time for the tests' own tear-down, which ends the servers that they started.
      forceKillAfterDelay: 60_000,
    },
  );
  const tookMs = Date.now() - startedAt;
  if (timedOut) return notRun(layer, `still running after ${withinMs / 60_000} min, so it was ended`, tookMs);
  const counted = await count(file).catch(() => undefined);
  if (isTerminated || signal.aborted || counted === undefined)
    return notRun(layer, `it did not come to its end (exit code ${exitCode ?? 'none'})`, tookMs);
  return judge({ layer, tookMs, ...counted, notes: [] }, exitCode);
}

/** Errors outside of any test (a tear-down, a promise nobody waited for) show in the exit code alone. */
function judge(outcome: Outcome, exitCode: number | undefined): Outcome {
  if (exitCode === 0 || outcome.failed > 0) return outcome;
  return { ...outcome, failed: 1, notes: [`Vitest ended with exit code ${exitCode}, though no test failed`] };
}

export async function count(file: string): Promise<Pick<Outcome, 'passed' | 'failed' | 'skipped' | 'failures'>> {
  const { testResults } = JSON.parse(await readFile(file, 'utf8')) as Report;
  const failures = testResults.flatMap(({ name, status, message = '', assertionResults }): Failure[] => {
    const inFile = relative(process.cwd(), name);
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed');
    // A file that cannot be loaded, or whose hooks fail, has no failed test of its own.
    if (status === 'failed' && failed.length === 0) return [{ test: inFile, why: message }];
    return failed.map(({ fullName, failureMessages = [] }) => ({
      test: `${inFile} > ${fullName}`,
      why: failureMessages.join('\n'),
    }));
  });
  const statuses = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const passed = statuses.filter((status) => status === 'passed').length;
  const ran = statuses.filter((status) => status === 'passed' || status === 'failed').length;
  return { passed, failed: failures.length, skipped: statuses.length - ran, failures };
}
