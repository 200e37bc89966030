/** The plan's people read aloud: who is asked for what, for how long, and what then. */
import { formatDuration } from '../../evidence/format.ts';
import { type ApprovalRule, approvalNames, type People, usualApproval } from '../../plan/people.ts';
import type { Plan } from '../../plan/schema.ts';
import { listed } from './listed.ts';

export function peopleInWords({ people }: Plan): string[] {
  if (people === undefined)
    return ['Nobody is asked: a live run that needs an approval, such as a switchover, does not begin.'];
  return [
    ...Object.entries(people.groups).map(([group, members]) => `Group ${group} is ${named(people, members)}.`),
    ...Object.entries(people.approvals).map(([name, rule]) => approvalInWords(people, name, rule)),
    ...unruled(people),
    ...decisionsInWords(people),
    people.unsigned === 'allowed'
      ? "In live runs answers count without a signature: anybody who reaches Temporal can answer in anybody's name."
      : 'In live runs only signed answers count.',
    toldInWords(people),
  ];
}

/** `"switch-the-primary" is approved by 2 of dba, without who has started the run, within 15 min (reminded 5 min before); then it is denied.` */
function approvalInWords(people: People, name: string, rule: ApprovalRule): string {
  const { group, quorum, deadline, warnBefore, onExpiry, escalateTo } = rule;
  const what = name !== usualApproval ? `"${name}"` : isAlone(people) ? 'Whatever is asked' : 'Whatever else is asked';
  const reminded = warnBefore === undefined ? '' : ` (reminded ${formatDuration(warnBefore)} before)`;
  const then = {
    deny: 'then it is denied',
    proceed: 'then a drill goes on without an answer',
    escalate: `then ${listed(escalateTo)} ${escalateTo.length === 1 ? 'is' : 'are'} asked too, for as long ${escalateTo.length === 1 ? 'again' : 'each'}, and then it is denied`,
  }[onExpiry];
  return `${what} is approved by ${quorum} of ${group}, not counting whoever has started the run, within ${formatDuration(deadline)}${reminded}; ${then}.`;
}

function isAlone({ approvals }: People): boolean {
  return Object.keys(approvals).length === 1;
}

function unruled({ approvals }: People): string[] {
  if (Object.hasOwn(approvals, usualApproval)) return [];
  const missing = approvalNames.filter((name) => !Object.hasOwn(approvals, name));
  return missing.map((name) => `Nobody can approve "${name}": a live run that asks for it does not begin.`);
}

function decisionsInWords({ decisions }: People): string[] {
  if (decisions === undefined) return ['A live run whose step fails asks nobody: it ends, and takes back what it can.'];
  const { group, deadline, escalate } = decisions;
  const further = escalate.map(({ after, group: next }) => `, after ${formatDuration(after)} ${next} too`).join('');
  return [
    `About a failed step of a live run ${group} decides${further}; after ${formatDuration(deadline)} without a decision the run ends.`,
  ];
}

function toldInWords({ status, slack }: People): string {
  const { channel, webhook, every } = status;
  const places = [
    ...(channel !== undefined && slack !== undefined ? [`Slack's ${channel}`] : []),
    ...(webhook === undefined ? [] : [channel !== undefined && slack !== undefined ? 'else a webhook' : 'a webhook']),
  ];
  return places.length === 0
    ? 'Nobody is told how a run goes: there is neither a channel with people.slack nor a webhook.'
    : `How a run goes is told to ${places.join(', ')}, at the latest every ${formatDuration(every)}.`;
}

/** What a valid plan says that may surprise somebody in a live run. */
export function peopleWorthKnowing({ people }: Plan): string[] {
  return Object.entries(people?.approvals ?? {})
    .filter(([, { onExpiry }]) => onExpiry === 'proceed')
    .map(
      ([name]) =>
        `people.approvals.${name} says "onExpiry: proceed", which is for drills: a live run that asks for it does not begin. Write deny or escalate for live runs.`,
    );
}

function named({ persons }: People, ids: readonly string[]): string {
  return listed(ids.map((id) => (Object.hasOwn(persons, id) ? `${persons[id]?.name ?? id} (${id})` : id)));
}
