/** The rules of a decision about a failed step: who may say what. Pure. */
import { typedCode } from './canonical.ts';
import { formatClock } from './format.ts';
import type { Click, Decision, DecisionAction } from './people.ts';
import { and, isPerson, named, type Persons, strangerWords, unsignedWords, type Verdict } from './persons.ts';

/** A message about a failed step, after its signature was looked at. */
export interface DecisionMessage {
  at: string;
  by: string;
  channel: Click['channel'];
  signed: Click['signed'];
  /** Why it cannot count, whatever it says. */
  objection?: string | undefined;
  code: string;
  action: string;
  reason?: string | undefined;
}

export interface DecisionRules {
  persons: Persons;
  signedOnly: boolean;
}

/** Judges a message, keeps it, and closes the decision when it counts. */
export function decide(decision: Decision, message: DecisionMessage, rules: DecisionRules): Verdict {
  const why = refusal(decision, message, rules);
  const { at, by, channel, signed, action, reason } = message;
  const said = why ?? `Counted: ${inWords[action as DecisionAction]}.`;
  decision.clicks.push({
    at,
    kind: 'decide',
    by,
    channel,
    signed,
    counted: why === undefined,
    said,
    latencyMs: Date.parse(at) - Date.parse(decision.openedAt),
    choice: action,
    ...(reason === undefined ? {} : { reason }),
  });
  if (why !== undefined) return { counted: false, refused: true, said };
  decision.action = action as DecisionAction;
  decision.by = by;
  decision.closedAt = at;
  if (reason !== undefined) decision.reason = reason;
  return { counted: true, refused: false, said };
}

const inWords: Record<DecisionAction, string> = {
  retry: 'the step is tried again',
  skip: 'the step is skipped',
  abort: 'the run ends, and takes back what it can',
};

function refusal(decision: Decision, message: DecisionMessage, rules: DecisionRules): string | undefined {
  const { by, signed, code, action, reason = '', objection } = message;
  const people = decision.asked.at(-1)?.people ?? [];
  if (objection !== undefined) return `Not counted: ${objection}.`;
  if (decision.closedAt !== undefined) return `Too late: ${decidedInWords(decision, rules.persons)}.`;
  if (typedCode(code) !== decision.code)
    return `Not counted: this is about another failure. "${decision.name}" shows ${decision.code} now; look at it again.`;
  if (!isPerson(rules.persons, by)) return strangerWords(by);
  if (!people.includes(by)) {
    const groups = decision.asked.map(({ group }) => group);
    return `Not counted: ${named(rules.persons, [by])} is not asked. ${and(groups)} can decide: ${named(rules.persons, people)}.`;
  }
  if (rules.signedOnly && signed !== 'person' && signed !== 'gateway') return unsignedWords;
  if (action === 'skip' && !decision.offers.includes('skip'))
    return `Not counted: the run cannot go on without "${decision.name}". It can be answered with ${and(decision.offers)}.`;
  if (!decision.offers.some((one) => one === action))
    return `Not counted: "${action}" is not offered. It can be answered with ${and(decision.offers)}.`;
  return action === 'skip' && reason.trim() === ''
    ? 'Not counted: say as "reason" why the run can go on without this step.'
    : undefined;
}

/** `"Attach the standby" was decided at 14:02:11Z: retry, by Ana` */
function decidedInWords({ name, action, by, closedAt, reason }: Decision, persons: Persons): string {
  if (closedAt === undefined) return `"${name}" waits for a decision`;
  const at = `at ${formatClock(closedAt)}Z`;
  if (action === undefined) return `nobody is asked about "${name}" any more, since ${formatClock(closedAt)}Z`;
  const who = by === undefined ? '' : `, by ${named(persons, [by])}`;
  return `"${name}" was decided ${at}: ${action}${who}${reason === undefined || reason.trim() === '' ? '' : ` (${reason})`}`;
}
