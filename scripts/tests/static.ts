/** The checks that run nothing; each counts as one test. */
import { execa } from 'execa';
import type { Failure, Outcome } from './outcome.ts';

const importRules = ['--only=style/noRestrictedImports', '--only=suspicious/noImportCycles'];
const checks = [
  { name: 'types', command: 'tsc', arguments: ['--noEmit'] },
  { name: 'lint and format', command: 'biome', arguments: ['check', '--error-on-warnings'] },
  { name: 'who may import whom', command: 'biome', arguments: ['lint', ...importRules] },
  { name: 'dead code', command: 'knip', arguments: [] },
];

export async function runStaticChecks(): Promise<Outcome> {
  const startedAt = Date.now();
  const failures: Failure[] = [];
  for (const check of checks) {
    const checkStartedAt = Date.now();
    const result = await execa(check.command, check.arguments, { preferLocal: true, reject: false, all: true });
    const took = ((Date.now() - checkStartedAt) / 1000).toFixed(1);
    console.log(`${result.failed ? '✗' : '✓'} ${check.name} ${took} s`);
    if (!result.failed) continue;
    const why = (result.all === '' ? result.shortMessage : result.all) ?? '';
    failures.push({ test: check.name, why });
    console.log(why);
  }
  const failed = failures.length;
  const passed = checks.length - failed;
  return { layer: 'static', passed, failed, skipped: 0, tookMs: Date.now() - startedAt, failures, notes: [] };
}
