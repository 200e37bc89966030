/** What tells one runbook from another before its first step. */
import type { Outcome, Phase } from '../../evidence/evidence.ts';
import type { Plan } from '../../plan/schema.ts';
import type { RunbookName, RunInput } from '../messages.ts';

export interface Definition<I extends RunInput = RunInput> {
  name: RunbookName;
  /** As people say it: `Monthly drill`. */
  title: string;
  /** The phases that it goes through, in their order. */
  phases: readonly Phase[];
  /** What a good end is called, and a bad one. */
  outcomes: { good: Outcome; bad: Outcome };
  /** A drill undoes all that it made, also when all went well. */
  alwaysUndo: boolean;
  /** What an input that does not say it is taken to mean. */
  usualInput?: Partial<I>;
  /** Names of the approvals that it may ask for: a live run does not begin unless the plan says who gives them. */
  approvals?: readonly string[] | ((plan: Plan) => readonly string[]);
  /** Names of those that are asked only where the plan has a rule of that very name; `default` is none. */
  approvalsWhereNamed?: readonly string[];
  /** Nobody waits beside it: a step that fails ends it at once, also live. */
  unattended?: true;
}
