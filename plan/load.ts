/** Reads a plan, and says everything that is wrong with it at once. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { newestBackupWithinMs } from './cadence.ts';
import { type PlanDocument, readDocument } from './document.ts';
import { findings } from './issues.ts';
import { type Finding, type PlanProblem, PlanProblems, pathInWords } from './problems.ts';
import type { Section, WellFormed } from './rules/rule.ts';
import { ruleFindings } from './rules.ts';
import { type Plan, planSchema } from './schema.ts';

export interface LoadedPlan {
  plan: Plan;
  /** Of the file's bytes, hexadecimal. */
  sha256: string;
  file: string;
}

/**
 * @param before of the same file: returned as it is when the bytes are the same
 * @throws PlanProblems
 */
export async function loadPlanFile(file: string, before?: LoadedPlan): Promise<LoadedPlan> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new PlanProblems([{ file, ...start, message: `the file cannot be read: ${reason(error)}` }]);
  }
  const sha256 = sha256Of(bytes);
  if (before?.sha256 === sha256) return before;
  return { ...loadPlanText(decoded(bytes, file), file), sha256 };
}

function decoded(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PlanProblems([{ file, ...start, message: 'the file is not text in UTF-8' }]);
  }
}

/**
 * @param file named in problems, not read
 * @throws PlanProblems
 */
export function loadPlanText(text: string, file: string): LoadedPlan {
  const read = readDocument(text);
  if ('problems' in read) throw new PlanProblems(read.problems.map((problem) => ({ file, path: '', ...problem })));
  const { document } = read;
  const parsed = planSchema.safeParse(document.value);
  const found = [
    ...findings(parsed.error?.issues ?? [], document),
    ...ruleFindings(wellFormed(document.value, parsed)),
  ];
  if (parsed.data === undefined || found.length > 0)
    throw new PlanProblems(found.map((finding) => placed(finding, document, file)));
  return { plan: withBackupAge(parsed.data), sha256: sha256Of(text), file };
}

/** The sections that can be judged although others cannot be read. */
function wellFormed(value: unknown, parsed: { success: boolean; data?: Plan }): WellFormed {
  const names = Object.keys(planSchema.shape) as Section[];
  if (parsed.data !== undefined) return { sections: new Set(names), plan: parsed.data };
  const written: Partial<Record<Section, unknown>> = typeof value === 'object' && value !== null ? value : {};
  const sections = names.flatMap((name) => {
    const section = planSchema.shape[name].safeParse(written[name]);
    return section.success ? [[name, section.data] as const] : [];
  });
  return { sections: new Set(sections.map(([name]) => name)), plan: Object.fromEntries(sections) };
}

function placed(finding: Finding, document: PlanDocument, file: string): PlanProblem {
  return { file, path: pathInWords(finding.path), ...document.place(finding) };
}

/** Said once, here: workflows then need no schedules to judge a backup's age. */
function withBackupAge(plan: Plan): Plan {
  const { backups } = plan;
  return {
    ...plan,
    backups: { ...backups, physical: { ...backups.physical, newestWithin: newestBackupWithinMs(plan) } },
  };
}

const start = { line: 1, column: 1, path: '' };

function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory; name the files in it',
    EACCES: 'this user may not read it',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}
