/** What must hold between the parts of a plan. */
import type { Finding, Path } from '../problems.ts';
import type { Plan } from '../schema.ts';

export type Section = keyof Plan;
export type Say = (path: Path, message: string, more?: Pick<Finding, 'at' | 'instead'>) => void;

/** Sections of a plan that are well formed each by itself. */
export interface WellFormed {
  sections: ReadonlySet<Section>;
  plan: Partial<Plan>;
}

/** What a rule finds; nothing while a section that it reads is not well formed. */
export type Rule = (known: WellFormed) => Finding[];

export function rule<const S extends Section>(
  reads: readonly S[],
  look: (plan: Pick<Plan, S>, say: Say) => void,
): Rule {
  return ({ sections, plan }) => {
    if (!reads.every((section) => sections.has(section))) return [];
    const findings: Finding[] = [];
    look(plan as Pick<Plan, S>, (path, message, more) => findings.push({ path, message, ...more }));
    return findings;
  };
}

/** Indices of entries that were there before, compared by `of`. */
export function repeated<T>(entries: readonly T[], of: (entry: T) => string): number[] {
  const keys = entries.map(of);
  return keys.flatMap((key, index) => (keys.indexOf(key) < index ? [index] : []));
}
