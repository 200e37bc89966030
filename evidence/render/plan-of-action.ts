/** A dry run reads like a plan of action: numbered, with what each change is expected to take, and a total. */
import type { Evidence, Step } from '../evidence.ts';
import { formatDuration, formatNumberOf } from '../format.ts';
import { stepsByGroup } from './words.ts';

/** Steps by their place in the plan, from 1; the report shows them in this order. */
export function stepNumbers(evidence: Pick<Evidence, 'steps' | 'phases'>): ReadonlyMap<Step, number> {
  return new Map(
    stepsByGroup(evidence)
      .flatMap((one) => one.steps)
      .map((step, index) => [step, index + 1]),
  );
}

export interface Total {
  checks: number;
  passed: number;
  changes: number;
  approvals: number;
  proofs: number;
  /** Of the changes that can tell, one after another. */
  takesMs: number;
  /** Changes that cannot tell how long they take. */
  untold: number;
}

export function totalOf({ steps }: Pick<Evidence, 'steps'>): Total {
  const of = (kind: Step['kind']) => steps.filter((step) => step.kind === kind);
  const told = of('change').flatMap(({ takesMs }) => (takesMs === undefined ? [] : [takesMs]));
  return {
    checks: of('check').length,
    passed: of('check').filter(({ state }) => state === 'done').length,
    changes: of('change').length,
    approvals: of('approval').length,
    proofs: of('prove').length,
    takesMs: told.reduce((sum, one) => sum + one, 0),
    untold: of('change').length - told.length,
  };
}

/** `12 of 12 checks pass; 5 changes, about 4 min 12 s together (1 cannot tell); 1 approval; 3 proofs` */
export function totalSentence(evidence: Pick<Evidence, 'steps'>): string {
  const { checks, passed, changes, approvals, proofs } = totalOf(evidence);
  return [
    `${passed} of ${formatNumberOf(checks, 'check')} pass`,
    `${formatNumberOf(changes, 'change')}${changesTake(evidence)}`,
    ...(approvals === 0 ? [] : [formatNumberOf(approvals, 'approval')]),
    formatNumberOf(proofs, 'proof'),
  ].join('; ');
}

function changesTake(evidence: Pick<Evidence, 'steps'>): string {
  const { takesMs, untold, changes } = totalOf(evidence);
  if (untold === changes) return '';
  return `, about ${formatDuration(takesMs)} together${untold === 0 ? '' : ` (${untold} cannot tell)`}`;
}
