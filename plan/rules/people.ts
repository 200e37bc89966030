/** Who is asked exists, can sign, and can be enough, also when one of them is the one who asks. */
import { durationText } from '../duration.ts';
import { nearestKey } from '../issues.ts';
import { approvalNames, approvalsWhereNamed, type People, usualApproval } from '../people.ts';
import type { Path } from '../problems.ts';
import { repeated, rule, type Say } from './rule.ts';

export const groupsNameKnownPersons = rule(['people'], ({ people }, say) => {
  if (people === undefined) return;
  for (const [group, members] of Object.entries(people.groups)) {
    for (const [index, person] of members.entries())
      if (!Object.hasOwn(people.persons, person))
        unknown('person', person, Object.keys(people.persons), ['people', 'groups', group, index], say);
    for (const index of repeated(members, (person) => person))
      say(['people', 'groups', group, index], `${members[index]} is in group ${group} already`);
  }
});

export const askedGroupsAreKnown = rule(['people'], ({ people }, say) => {
  if (people === undefined) return;
  const known = Object.keys(people.groups);
  for (const { group, path } of groupsAsked(people))
    if (!known.includes(group)) unknown('group', group, known, path, say);
});

/** Of a name that nobody asks for the rule would never be used, and another one, perhaps a weaker one, in its place. */
export const approvalsAreAsked = rule(['people'], ({ people }, say) => {
  const known = [usualApproval, ...approvalNames, ...approvalsWhereNamed];
  for (const name of Object.keys(people?.approvals ?? {}))
    if (!known.includes(name)) {
      const near = nearestKey(name, known);
      say(['people', 'approvals', name], `no runbook asks for an approval "${name}"`, {
        at: 'key',
        instead:
          near === undefined
            ? `runbooks ask for ${known.slice(1).join(', ')}; ${usualApproval} is for all others`
            : `did you mean "${near}"?`,
      });
    }
});

function groupsAsked({ approvals, decisions }: People): { group: string; path: Path }[] {
  const fromApprovals = Object.entries(approvals).flatMap(([name, { group, escalateTo }]) => [
    { group, path: ['people', 'approvals', name, 'group'] },
    ...escalateTo.map((one, index) => ({ group: one, path: ['people', 'approvals', name, 'escalateTo', index] })),
  ]);
  if (decisions === undefined) return fromApprovals;
  const further = decisions.escalate.map(({ group }, index) => ({
    group,
    path: ['people', 'decisions', 'escalate', index, 'group'],
  }));
  return [...fromApprovals, { group: decisions.group, path: ['people', 'decisions', 'group'] }, ...further];
}

function unknown(what: 'person' | 'group', name: string, known: string[], path: Path, say: Say): void {
  const near = nearestKey(name, known);
  const where = what === 'person' ? 'people.persons' : 'people.groups';
  say(path, `${what} "${name}" is not in ${where}`, {
    instead: near === undefined ? `${where} has ${known.join(', ') || 'nobody'}` : `did you mean "${near}"?`,
  });
}

/** Whoever starts a run does not approve it: one person less must still be enough. */
export const approvalsCanBeGiven = rule(['people'], ({ people }, say) => {
  if (people === undefined) return;
  for (const [name, { group, quorum, onExpiry, escalateTo }] of Object.entries(people.approvals)) {
    const groups = onExpiry === 'escalate' ? [group, ...escalateTo] : [group];
    if (!groups.every((one) => Object.hasOwn(people.groups, one))) continue;
    const all = new Set(groups.flatMap((one) => people.groups[one] ?? []));
    // Somebody misspelt is said once.
    if (![...all].every((one) => Object.hasOwn(people.persons, one))) continue;
    const able = people.unsigned === 'allowed' ? all : new Set([...all].filter((one) => canSign(people, one)));
    const path = ['people', 'approvals', name, 'quorum'];
    const who = groups.join(' and ');
    if (all.size - 1 < quorum)
      say(
        ['people', 'approvals', name],
        `people.approvals.${name} needs ${quorum} of ${who}, where ${peopleIn(all.size)}: when one of them starts the run, too few are left`,
        { at: 'key', instead: 'write a larger group, or a smaller quorum' },
      );
    else if (able.size - 1 < quorum)
      say(
        path,
        `people.approvals.${name} needs ${quorum} signatures, and of ${who} only ${[...able].join(', ') || 'nobody'} can sign`,
        { at: 'key', instead: 'write their keys (lifeboat keys create), or their Slack ids and people.slack' },
      );
  }
});

function peopleIn(number: number): string {
  return number === 1 ? 'there is 1 person' : `there are ${number} people`;
}

/** With a key of their own, or through the gateway, which knows them by their Slack id. */
function canSign({ persons, slack }: People, id: string): boolean {
  const person = Object.hasOwn(persons, id) ? persons[id] : undefined;
  return person !== undefined && (person.keys.length > 0 || (person.slack !== undefined && slack !== undefined));
}

export const peopleAreAskedInTime = rule(['people'], ({ people }, say) => {
  for (const [name, { deadline, warnBefore, onExpiry, escalateTo, group }] of Object.entries(people?.approvals ?? {})) {
    const path = ['people', 'approvals', name];
    if (warnBefore !== undefined && warnBefore >= deadline)
      say(
        [...path, 'warnBefore'],
        `people would be reminded ${durationText(warnBefore)} before a deadline of ${durationText(deadline)}`,
        { instead: `write less than ${durationText(deadline)}` },
      );
    if (onExpiry === 'escalate' && escalateTo.length === 0)
      say([...path, 'onExpiry'], 'there is no group to escalate to', { instead: 'name groups in escalateTo' });
    if (onExpiry !== 'escalate' && escalateTo.length > 0)
      say([...path, 'escalateTo'], `nobody asks these groups: onExpiry is ${onExpiry}`, {
        at: 'key',
        instead: 'write onExpiry: escalate',
      });
    for (const index of repeated([group, ...escalateTo], (one) => one))
      say([...path, 'escalateTo', index - 1], `group ${escalateTo[index - 1]} is asked already`);
  }
});

export const decisionsEscalateInTime = rule(['people'], ({ people }, say) => {
  const { deadline = 0, escalate = [] } = people?.decisions ?? {};
  for (const [index, { after, group }] of escalate.entries())
    if (after >= deadline)
      say(
        ['people', 'decisions', 'escalate', index, 'after'],
        `${group} would be asked after ${durationText(after)}, when the deadline of ${durationText(deadline)} has passed`,
        { instead: `write less than ${durationText(deadline)}` },
      );
});

/** A key or a Slack id that two people share would let one of them be both. */
export const nobodyIsTwoPeople = rule(['people'], ({ people }, say) => {
  if (people === undefined) return;
  const persons = Object.entries(people.persons);
  const ids = persons.flatMap(([id, { slack }]) => (slack === undefined ? [] : [{ id, slack }]));
  for (const index of repeated(ids, ({ slack }) => slack)) {
    const { id = '', slack = '' } = ids[index] ?? {};
    const first = ids.find((one) => one.slack === slack)?.id;
    say(['people', 'persons', id, 'slack'], `${slack} is ${first} already: a Slack user is one person`);
  }
  const keys = [
    ...persons.flatMap(([id, person]) =>
      person.keys.map((key, index) => ({ key, whose: id, path: ['people', 'persons', id, 'keys', index] })),
    ),
    ...(people.slack?.gatewayKeys ?? []).map((key, index) => ({
      key,
      whose: 'the gateway',
      path: ['people', 'slack', 'gatewayKeys', index],
    })),
  ];
  for (const index of repeated(keys, ({ key }) => key)) {
    const { key, path = [] } = keys[index] ?? {};
    const first = keys.find((one) => one.key === key)?.whose;
    say(path, `this key is of ${first} already: each key is of one person, or of the gateway`, {
      instead: 'name another (lifeboat keys create)',
    });
  }
});
