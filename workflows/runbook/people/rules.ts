/** How the plan wants an approval to be asked, and whether it can be. */
import { formatDuration } from '../../../evidence/format.ts';
import { and, named } from '../../../evidence/persons.ts';
import type { ApprovalRule } from '../../../plan/people.ts';
import { slug } from '../slug.ts';
import { canSign, type House, membersOf, personsOf, signedOnly } from './house.ts';

const usualWarningMs = 5 * 60_000;

export interface Asking extends ApprovalRule {
  /** Of the plan's `approvals`. */
  called: string;
  /** Asked one after the other. */
  groups: string[];
  /** Reminded this long before each deadline, milliseconds. */
  warningMs: number;
  /** Different people that are needed. */
  needed: number;
  /** Whoever has started the run, when that is a person of the plan. */
  requester?: string;
}

/** Undefined where the plan says nothing of it. */
export function askingFor({ plan, mode, record }: Omit<House, 'control'>, name: string): Asking | undefined {
  const approvals = plan.people?.approvals ?? {};
  const called = [slug(name), 'default'].find((one) => Object.hasOwn(approvals, one));
  const rule = called === undefined ? undefined : approvals[called];
  if (called === undefined || rule === undefined) return undefined;
  const { requester } = record.evidence;
  // Unknown hands may be those of one of the people who are asked.
  const unsure = mode === 'live' && !requester?.certain ? 1 : 0;
  return {
    ...rule,
    called,
    groups: [rule.group, ...(rule.onExpiry === 'escalate' ? rule.escalateTo : [])],
    warningMs: rule.warnBefore ?? Math.min(usualWarningMs, Math.round(rule.deadline / 3)),
    needed: rule.quorum + unsure,
    ...(requester?.person === undefined ? {} : { requester: requester.person }),
  };
}

/** Why an approval could never be given; undefined when it can be. */
export function whyNever(house: Omit<House, 'control'>, name: string): string | undefined {
  const asking = askingFor(house, name);
  const key = `people.approvals.${slug(name)}`;
  if (asking === undefined)
    return `"${name}" has to be approved, and the plan does not say by whom: add ${key}, or people.approvals.default, with a group and a quorum`;
  const { groups, needed, requester, onExpiry, called } = asking;
  if (onExpiry === 'proceed' && house.mode === 'live')
    return `people.approvals.${called} says "onExpiry: proceed", which is for drills only: in a live run nothing is approved by silence; write deny or escalate`;
  const persons = personsOf(house.plan);
  const asked = membersOf(house.plan, groups, requester);
  const able = signedOnly(house) ? asked.filter((person) => canSign(house.plan, person)) : asked;
  if (able.length >= needed) return undefined;
  const unsure = needed > asking.quorum;
  return [
    `"${name}" needs ${needed} people`,
    unsure ? ', one more than the plan says because nobody knows for certain who has started this run' : '',
    `, and of ${and(groups)} only ${named(persons, able)} can approve it`,
    signedOnly(house) ? ' with a signature' : '',
    requester === undefined ? '' : `, without ${named(persons, [requester])}, who has started it`,
    unsure ? ': sign the start (lifeboat keys create), let somebody else start it' : ': let somebody else start it',
    ', or add people and their keys to the plan',
  ].join('');
}

/** `2 of dba (Ana and Ben), Cem excluded, who asks for it, for 15 min, then denied` */
export function askingInWords({ plan, record, mode }: Omit<House, 'control'>, asking: Asking): string {
  const persons = personsOf(plan);
  const { requester, group, deadline, groups, needed, quorum } = asking;
  // Nobody signs a dry run: what it says is meant for the live run after it.
  const number = mode === 'dry-run' ? quorum : needed;
  const { certain = false } = record.evidence.requester ?? {};
  const then = {
    deny: 'then denied',
    proceed: 'then it goes on without an answer',
    escalate: `then ${and(groups.slice(1))} for as long each, then denied`,
  }[asking.onExpiry];
  return [
    `${number} of ${group} (${named(persons, membersOf(plan, [group], requester))})`,
    ...(mode === 'dry-run' && !certain ? ['one more if the start is not signed'] : []),
    ...(needed > quorum ? ['one more than usual, because the start is not signed'] : []),
    requester === undefined ? 'the requester excluded' : `${named(persons, [requester])} excluded, who asks for it`,
    `for ${formatDuration(deadline)}`,
    then,
  ].join(', ');
}
