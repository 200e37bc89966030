import { describe, expect, test } from 'vitest';
import { stableJson } from '../../../activities/evidence/json.ts';
import type { Evidence, Phase } from '../../../evidence/evidence.ts';
import { renderHtml } from '../../../evidence/render/html.ts';
import { renderLivePage, renderMarkdown } from '../../../evidence/render/markdown.ts';
import { terminalAsked } from '../../../evidence/render/terminal/people.ts';
import { renderTerminal } from '../../../evidence/render/terminal.ts';
import { abortedByHand, planned, switched, undecided, waiting } from './people-samples.ts';
import { proven } from './samples.ts';
import { words } from './words.ts';

const inAllForms: [string, (evidence: Evidence) => string][] = [
  ['the page', (evidence) => words(renderHtml(evidence))],
  // Marks that keep a text from becoming markup are not read.
  ['the Markdown', (evidence) => renderMarkdown(evidence).replaceAll('\\', '')],
  ['the terminal', (evidence) => renderTerminal(evidence, { color: false })],
];

describe.each(inAllForms)('an auditor finds in %s', (_form, read) => {
  test('each approval with its facts’ hash, its quorum, how it ended and how long that took', () => {
    const text = read(switched());
    for (const fact of [
      'Switch the primary',
      '3f9a'.repeat(16),
      '7K3M9QXZ',
      'approved after 3 min 6 s: by Ana and Ben',
      'void, asked anew after 1 s: the facts have changed',
    ])
      expect(text).toContain(fact);
    expect(text).toMatch(/2 of dba/);
  });

  test('each click: who, from where, signed or not, how long it took, and why it did not count', () => {
    const text = read(switched());
    for (const fact of [
      'command line',
      'Slack',
      'Temporal UI',
      'not signed',
      'vouched for by the Slack gateway',
      'FORGED signature',
      'the backup is 9 h old',
      'Dora is not in dba',
      'the signature does not fit',
      '48 s',
      '3 min 6 s',
    ])
      expect(text).toContain(fact);
  });

  test('each decision with its reason, and clicks that answered nothing', () => {
    const text = read(switched());
    for (const fact of [
      'The old primary follows',
      'HostSilent',
      'tried again after 11 min 40 s, by dora: the worker is back',
      'Too late: nothing is asked.',
    ])
      expect(text).toContain(fact);
  });

  test('what nobody could be told, and where the rest went', () => {
    const text = read(switched());
    for (const fact of [
      '3 messages: 1 in Slack, 1 by webhook, 1 undelivered',
      'will miss the RTO by 12 min',
      'the webhook did not answer',
    ])
      expect(text).toContain(fact);
  });

  test('who started it, and whether that is certain', () => {
    expect(read(switched())).toContain('dora, for certain: signed by Dora');
    const claimed = switched();
    claimed.requester = { person: 'dora', certain: false, how: 'not signed' };
    expect(read(claimed)).toContain('dora, not for certain: not signed');
  });

  test('who aborted it, and why', () => {
    const text = read(abortedByHand());
    for (const fact of ['ABORTED', 'by ana at 14:05:25Z: wrong standby'])
      expect(text.toLowerCase()).toContain(fact.toLowerCase());
  });

  test('nothing of people where nobody was asked', () => {
    expect(read(proven())).not.toContain('Started by');
  });
});

test.each(inAllForms.slice(0, 2))('what an abort was to do, and what became of it, stands in %s', (_form, read) => {
  const text = read(abortedByHand());
  for (const fact of ['Promote the standby', 'Close the front door', 'a checkpoint needs no undo', 'AB0RT123'])
    expect(text).toContain(fact);
});

test('the page takes machine time, people and retries apart where no recovery is measured', () => {
  const text = words(renderHtml(switched()));
  expect(text).toMatch(/Took 15 min 12 s .* machine 22 s · people 14 min 46 s · retries 4 s/);
});

describe('while somebody is waited for', () => {
  const now = '2026-11-21T14:05:11.204Z';

  test('the page says first what, who, until when, and what to type', () => {
    const text = words(renderHtml(waiting(), { now, live: true }));
    expect(text.indexOf('Waits for approval')).toBeLessThan(text.indexOf('Took'));
    for (const fact of [
      '1 of 2 of dba (ana); waits for ben, cara',
      '12 min 4 s left',
      'lifeboat approve orders-5c1e --code 7K3M9QXZ',
    ])
      expect(text).toContain(fact);
  });

  // Said at 14:03:11Z; people were waited for from then on.
  test('the page says when it will be over, and that this is too late', () => {
    expect(words(renderHtml(waiting(), { now }))).toContain(
      'Expected ends about 14:24:11Z, which misses the RTO by 12 min',
    );
  });

  test('the page does the same for a failed step', () => {
    const text = words(renderHtml(undecided(), { now }));
    for (const fact of [
      'Waits for a decision : The old primary follows',
      'HostSilent',
      'ana, ben, cara, dora',
      'lifeboat decide orders-5c1e retry --code D3C1S10N',
    ])
      expect(text.replaceAll(' :', ':')).toContain(fact.replaceAll(' :', ':'));
  });

  test('the live page of the Temporal UI has it on top, with the JSON for the update form', () => {
    const page = renderLivePage(waiting());
    expect(page.indexOf('Waits for approval')).toBeLessThan(page.indexOf('| Phase |'));
    expect(page).toContain('`{"by":"YOUR-NAME","code":"7K3M9QXZ","channel":"temporal-ui"}`');
    expect(page).toContain('lag **0 B**');
    expect(page).toContain('Expected: ends about 14:22:11Z, which misses the RTO by 12 min');
    expect(renderLivePage(undecided())).toContain('"action":"retry"');
  });

  test('the live page keeps its questions however long everything else is', () => {
    const evidence = waiting();
    const [step] = evidence.steps;
    if (step !== undefined) step.name = step.found = '漢'.repeat(40_000);
    evidence.failure = { type: 'Bug', message: '|'.repeat(40_000) };
    for (const one of evidence.approvals ?? [])
      one.subject = Object.fromEntries([...Array(60)].map((_, at) => [`fact ${at}`, '漢'.repeat(400)]));
    const page = renderLivePage(evidence);
    expect(Buffer.byteLength(page)).toBeLessThan(15_000);
    expect(page).toContain('7K3M9QXZ');
  });

  test('the terminal tells a question once, then each answer once', () => {
    const printed = new Set<string>();
    const first = terminalAsked(waiting(), printed, { color: false }).join('\n');
    for (const fact of [
      'Switch the primary to be approved, code 7K3M9QXZ',
      'from db1',
      'lifeboat approve orders-5c1e --code 7K3M9QXZ',
      'ana approved',
    ])
      expect(first).toContain(fact);
    expect(terminalAsked(waiting(), printed, { color: false })).toEqual([]);
    const rest = terminalAsked(switched(), printed, { color: false }).join('\n');
    expect(rest).toContain('ben approved');
    expect(rest).not.toContain('ana approved');
  });
});

describe.each(inAllForms)('a dry run reads like a plan of action in %s', (_form, read) => {
  test('numbered, with what it would do, how long that takes, whom it would ask, and a total', () => {
    const text = read(planned());
    for (const fact of [
      'would promote db2 to timeline 4',
      'about 2 s',
      'would be asked: 2 of dba (Ana, Ben and Cara), Dora excluded',
      '1 of 1 check pass; 3 changes, about 2.2 s together (1 cannot tell); 1 approval',
    ])
      expect(text).toContain(fact);
    expect(text).not.toContain('not run in a dry run');
    const order = [
      'db2 streams on timeline 3',
      'checkpoint on db1',
      'would be asked',
      'let no session',
      'promote db2',
    ].map((one) => text.indexOf(one));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
  });
});

/** As the store gives it back: keys in the order of the alphabet. */
function stored(evidence: Evidence): Evidence {
  return JSON.parse(new TextDecoder().decode(stableJson(evidence)));
}

// The terminal shows them while they are asked, not afterwards.
test.each(inAllForms.slice(0, 2))(
  '%s shows facts in the order in which they were asked, also out of the store',
  (_name, read) => {
    const evidence = switched();
    const [approval] = evidence.approvals ?? [];
    if (approval === undefined) throw new Error('the sample has no approval');
    const asked = { ...approval, subject: { to: 'db2', from: 'db1' }, shown: {}, order: ['to', 'from'] };
    const text = read(stored({ ...evidence, approvals: [asked] }));
    const facts = text.slice(text.indexOf(approval.hash));
    const [to, from] = [facts.search(/\bto\b[\s|*]+db2/), facts.search(/\bfrom\b[\s|*]+db1/)];
    expect(to).toBeGreaterThan(-1);
    expect(from).toBeGreaterThan(to);
  },
);

test.each(inAllForms)('%s goes through the phases in the order of the run', (_name, read) => {
  for (const evidence of [planned(), switched()]) {
    const [first] = evidence.steps;
    if (first === undefined) throw new Error('the sample has no step');
    const late = { ...first, endedAt: first.startedAt, state: 'done', kind: 'check', found: undefined } as const;
    const { found: _found, ...step } = late;
    const record = (name: Phase) => ({ name, budgetMs: 1, startedAt: first.startedAt, peopleMs: 0, retriesMs: 0 });
    // As a switchover has them: what comes back comes last.
    const text = read({
      ...evidence,
      approvals: [],
      decisions: [],
      phases: [record('assessment'), record('traffic'), record('database')],
      steps: [
        { ...step, id: 'assessment/a', name: 'Look at it', group: 'assessment' },
        { ...step, id: 'traffic/b', name: 'Promote it', group: 'traffic' },
        { ...step, id: 'database/c', name: 'Bring it back', group: 'database' },
        { ...step, id: 'closing/d', name: 'Write it down', group: 'closing' },
      ],
    });
    const places = ['Look at it', 'Promote it', 'Bring it back', 'Write it down'].map((name) => text.lastIndexOf(name));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(-1);
  }
});
