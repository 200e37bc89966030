/** What a plan says of people, and what is wrong with it, line by line. */
import { describe, expect, test } from 'vitest';
import { planInWords } from '../../../cli/plan/words.ts';
import { allSecretNames } from '../../../plan/hosts.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { orders, problemsOf } from './orders.ts';

const key = (letter: string): string => `ed25519:${letter.repeat(43)}=`;

const people = `people:
  persons:
    ana: { name: Ana, keys: ['${key('A')}'] }
    ben: { name: Ben, keys: ['${key('B')}'], slack: U02 }
    cem: { name: Cem, slack: U03 }
    dora: { name: Dora, keys: ['${key('D')}'] }
  groups: { dba: [ana, ben, cem], lead: [dora, ana] }
  approvals:
    default: { group: dba, quorum: 2, deadline: 15m }
    switch-the-primary: { group: dba, quorum: 2, onExpiry: escalate, escalateTo: [lead] }
  decisions: { group: dba, deadline: 8h, escalate: [{ after: 30m, group: lead }] }
  slack: { token: '\${env:SLACK_TOKEN}', gatewayKeys: ['${key('G')}'] }
`;

const firstLine = orders.split('\n').length - 1;

/** The problems of a plan whose people are these, with lines counted from `people:`. */
function wrong(...changes: [from: string, to: string][]): string[] {
  const text = changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`the people have no "${from}"`);
    return before.replace(from, () => to);
  }, people);
  return problemsOf(orders + text).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+):/, (_, line: string) => `${Number(line) - firstLine}:`),
  );
}

describe('read back', () => {
  const told = (...changes: [from: string, to: string][]) => {
    const text = changes.reduce((before, [from, to]) => before.replace(from, () => to), people);
    return planInWords(loadPlanText(orders + text, 'orders.yaml'), new Date('2026-11-21T14:00:00Z'));
  };

  test('say who is asked for what, how many, how long, and what then', () => {
    const text = told();
    for (const sentence of [
      'Group dba is Ana (ana), Ben (ben) and Cem (cem).',
      '"switch-the-primary" is approved by 2 of dba, not counting whoever has started the run, within 15 min; then lead is asked too, for as long again, and then it is denied.',
      'Whatever else is asked is approved by 2 of dba, not counting whoever has started the run, within 15 min; then it is denied.',
      'About a failed step of a live run dba decides, after 30 min lead too; after 8 h without a decision the run ends.',
      'In live runs only signed answers count.',
      'Nobody is told how a run goes',
      '${env:SLACK_TOKEN}',
    ])
      expect(text).toContain(sentence);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
  });

  test('say it loudly when anybody may answer in anybody\u2019s name, and where people are told', () => {
    const text = told([
      '  slack:',
      "  unsigned: allowed\n  status: { channel: '#incident', every: 10m, webhook: '${env:HOOK}' }\n  slack:",
    ]);
    expect(text).toContain('In live runs answers count without a signature');
    expect(text).toContain("How a run goes is told to Slack's #incident, else a webhook, at the latest every 10 min.");
    expect(text).toContain('${env:HOOK}');
  });

  test('warn that a live run does not begin where silence would approve it', () => {
    const text = told(['quorum: 2, deadline: 15m', 'quorum: 2, deadline: 15m, onExpiry: proceed']);
    expect(text).toContain('Worth knowing');
    expect(text).toContain('people.approvals.default says "onExpiry: proceed"');
    expect(told()).not.toContain('Worth knowing');
  });

  test('name every secret of the plan, those of a host too', () => {
    const replication = "  replication: { user: replicator, password: '${env:REPLICATION}' }\n  criticalTables";
    const text = orders.replace('  criticalTables', () => replication);
    expect(allSecretNames(loadPlanText(text + people, 'orders.yaml').plan)).toEqual([
      '${file:/etc/lifeboat/orders.password}',
      '${env:EVIDENCE_KEY}',
      '${env:EVIDENCE_SECRET}',
      '${env:REPLICATION}',
      '${env:SLACK_TOKEN}',
    ]);
  });
});

test('people who are right are read, and what is not said has a usual value', () => {
  expect(wrong()).toEqual([]);
  const { plan } = loadPlanText(orders + people, 'orders.yaml');
  expect(plan.people).toMatchObject({
    unsigned: 'refused',
    approvals: { default: { deadline: 900_000, onExpiry: 'deny', escalateTo: [] } },
    status: { every: 1_800_000 },
  });
});

describe('people are refused with line, column and what to write instead', () => {
  test.each<[what: string, from: string, to: string, problem: string]>([
    [
      'a mistyped approval, for which the usual rule would have been taken in silence',
      'switch-the-primary: {',
      'switch-primary: {',
      '10:5 no runbook asks for an approval "switch-primary": did you mean "switch-the-primary"?',
    ],
    [
      'a group with somebody unknown',
      'dba: [ana, ben, cem]',
      'dba: [ana, ben, cem, dorra]',
      '7:34 person "dorra" is not in people.persons: did you mean "dora"?',
    ],
    [
      'an approval by an unknown group',
      'default: { group: dba,',
      'default: { group: dbas,',
      '9:23 group "dbas" is not in people.groups: did you mean "dba"?',
    ],
    [
      'an escalation to an unknown group',
      'escalateTo: [lead]',
      'escalateTo: [board]',
      '10:83 group "board" is not in people.groups: people.groups has dba, lead',
    ],
    [
      'decisions by an unknown group',
      'decisions: { group: dba,',
      'decisions: { group: dbo,',
      '11:23 group "dbo" is not in people.groups: did you mean "dba"?',
    ],
    [
      'a decision that escalates to an unknown group',
      'after: 30m, group: lead',
      'after: 30m, group: leads',
      '11:74 group "leads" is not in people.groups: did you mean "lead"?',
    ],
    [
      'somebody twice in a group',
      'dba: [ana, ben, cem]',
      'dba: [ana, ben, ana, cem]',
      '7:29 ana is in group dba already',
    ],
    [
      'a quorum that is not there without the one who asks',
      'default: { group: dba, quorum: 2',
      'default: { group: lead, quorum: 2',
      '9:5 people.approvals.default needs 2 of lead, where there are 2 people: when one of them starts the run, too few are left: write a larger group, or a smaller quorum',
    ],
    [
      'a quorum that even the next group does not make up',
      'switch-the-primary: { group: dba, quorum: 2, onExpiry: escalate, escalateTo: [lead] }',
      'switch-the-primary: { group: dba, quorum: 4, onExpiry: escalate, escalateTo: [lead] }',
      '10:5 people.approvals.switch-the-primary needs 4 of dba and lead, where there are 4 people: when one of them starts the run, too few are left: write a larger group, or a smaller quorum',
    ],
    [
      'people who have nothing to sign with',
      `slack: { token: '\${env:SLACK_TOKEN}', gatewayKeys: ['${key('G')}'] }`,
      'unsigned: refused',
      '9:28 people.approvals.default needs 2 signatures, and of dba only ana, ben can sign: write their keys (lifeboat keys create), or their Slack ids and people.slack',
    ],
    [
      'a reminder after the deadline',
      'deadline: 15m }',
      'deadline: 15m, warnBefore: 15m }',
      '9:66 people would be reminded 15m before a deadline of 15m: write less than 15m',
    ],
    [
      'an escalation to nobody',
      'onExpiry: escalate, escalateTo: [lead]',
      'onExpiry: escalate',
      '10:60 there is no group to escalate to: name groups in escalateTo',
    ],
    [
      'groups that nobody would ask',
      'onExpiry: escalate, escalateTo: [lead]',
      'onExpiry: deny, escalateTo: [lead]',
      '10:66 nobody asks these groups: onExpiry is deny: write onExpiry: escalate',
    ],
    [
      'an escalation to the same group',
      'escalateTo: [lead]',
      'escalateTo: [lead, dba]',
      '10:89 group dba is asked already',
    ],
    [
      'an escalation after the end',
      'after: 30m, group',
      'after: 9h, group',
      '11:62 lead would be asked after 9h, when the deadline of 8h has passed: write less than 8h',
    ],
    [
      'two people with one Slack user',
      'slack: U03',
      'slack: U02',
      '5:30 U02 is ben already: a Slack user is one person',
    ],
    [
      'two people with one key',
      key('D'),
      key('A'),
      '6:32 this key is of ana already: each key is of one person, or of the gateway: name another (lifeboat keys create)',
    ],
    [
      'a person with the key of the gateway',
      key('G'),
      key('B'),
      '12:55 this key is of ben already: each key is of one person, or of the gateway: name another (lifeboat keys create)',
    ],
    [
      'an unknown key',
      'quorum: 2, deadline',
      'qorum: 2, deadline',
      '9:28 unknown key "qorum" in people.approvals.default: did you mean "quorum"?',
    ],
  ])('%s', (_what, from, to, problem) => {
    expect(wrong([from, to])).toEqual([problem]);
  });

  test('a quorum that only the next group makes up is enough', () => {
    expect(wrong(['quorum: 2, onExpiry: escalate', 'quorum: 3, onExpiry: escalate'])).toEqual([]);
  });
});
