import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { settleEvidence } from '../../../evidence/outcome.ts';
import { html } from '../../../evidence/render/html/markup.ts';
import { renderHtml } from '../../../evidence/render/html.ts';
import { renderLivePage, renderMarkdown } from '../../../evidence/render/markdown.ts';
import { renderTerminal, terminalSteps } from '../../../evidence/render/terminal.ts';
import { hostileEvidence, hostileText } from './hostile.ts';
import { aborted, backup, dryRun, failedDryRun, flagged, notProven, proven, running, samples } from './samples.ts';
import { words } from './words.ts';

const inAllForms: [string, (evidence: Evidence) => string][] = [
  ['the page', (evidence) => words(renderHtml(evidence))],
  ['the Markdown', renderMarkdown],
  ['the terminal', (evidence) => renderTerminal(evidence, { color: false })],
];

describe.each(inAllForms)('a manager sees in %s', (_form, read) => {
  test('that the drill is proven, how long it took, what would be lost, and what was not exercised', () => {
    const text = read(proven());
    for (const fact of ['PROVEN', '36 s', '23 s', '1 h', '5 min', 'swap', 'traffic', 'people', 'Plan a rehearsal'])
      expect(text).toContain(fact);
    expect(text).not.toContain('NOT PROVEN');
  });

  test('that a damaged backup proves nothing, which file it is, and what to do', () => {
    const text = read(notProven());
    for (const fact of ['NOT PROVEN', 'BackupCorrupt', 'base/16401/16423', 'lifeboat backup orders --type full'])
      expect(text).toContain(fact);
    expect(text).not.toContain('equality not proven');
  });

  test('that a good outcome has its buts', () => {
    const text = read(flagged());
    for (const fact of [
      'late',
      'loss beyond the objective',
      'equality not proven',
      'left behind',
      'more than promised',
    ])
      expect(text).toContain(fact);
  });

  test('that a dry run changed nothing, and what it would do', () => {
    const text = read(dryRun());
    for (const fact of ['PREVIEWED', 'would restore backup 20261121-135502F', 'would promote the throw-away server'])
      expect(text).toContain(fact);
  });

  test('what each line of a plan of action is about: what was found alone would tell nobody', () => {
    const text = renderTerminal(dryRun(), { color: false });
    expect(text).toContain('The secrets of the plan resolve: 3 secrets resolve');
    expect(text).toContain('The drill host is ready: PostgreSQL 15.18');
  });

  test('that a dry run could not go on, and nothing that only a real drill could say', () => {
    const text = read(failedDryRun());
    for (const fact of ['DRY RUN FAILED', 'BackupMissing', 'nothing is changed']) expect(text).toContain(fact);
    for (const claim of ['NOT PROVEN', 'not proven that', 'production untouched']) expect(text).not.toContain(claim);
  });

  test('what a backup took', () => {
    const text = read(backup());
    for (const fact of ['COMPLETED', '20261121-140213F', '1.1 GB']) expect(text).toContain(fact);
  });

  test('that a run goes on, or that it was stopped', () => {
    expect(read(running())).toContain('RUNNING');
    expect(read(aborted())).toContain('ABORTED');
  });
});

describe.each(inAllForms)('where the plan promises less loss of a class of data, %s says', (_form, read) => {
  const drill = (rpoMs: number) => {
    const evidence = proven();
    evidence.objectives.classes = [{ name: 'money', tables: ['payments', 'accounts'], rpoMs }];
    settleEvidence(evidence);
    return read(evidence);
  };

  test('that the promise was missed, and by how much', () => {
    const text = drill(10_000);
    for (const fact of ['loss beyond the objective', 'money', '13 s more', '10 s']) expect(text).toContain(fact);
  });

  test('that it was kept', () => {
    const text = drill(30_000);
    for (const fact of ['money', '30 s']) expect(text).toContain(fact);
    expect(text).not.toContain('more than');
  });
});

test('the live page says which class of data lost more than promised', () => {
  const evidence = proven();
  evidence.objectives.classes = [{ name: 'money', tables: ['payments'], rpoMs: 10_000 }];
  expect(renderLivePage(evidence)).toContain('Data lost, money: 13 s more than the 10 s promised');
});

describe('an auditor finds in the page', () => {
  test('each step with its kind, attempts, worker, what was expected and found', () => {
    const text = words(renderHtml(proven()));
    for (const step of proven().steps) {
      expect(text).toContain(step.name);
      expect(text).toContain(step.found);
      if (step.expected) expect(text).toContain(`expected: ${step.expected}`);
      if (step.preview) expect(text).toContain(step.preview);
    }
    for (const fact of ['2 attempts', 'by host-db2@41877', 'restore.log', 'completed successfully (8713ms)'])
      expect(text).toContain(fact);
  });

  test('the tables with rows and fingerprints, the measurements with their how, the hashes and the input', () => {
    const evidence = proven();
    const text = words(renderHtml(evidence, { sha256: 'ab'.repeat(32) }));
    for (const table of evidence.equality?.tables ?? []) expect(text).toContain(table.fingerprint);
    for (const one of evidence.measurements) expect(text).toContain(one.how);
    for (const fact of ['212,004', evidence.plan.sha256, evidence.runId, '"service": "orders"', 'ab'.repeat(32)])
      expect(text).toContain(fact);
  });
});

describe('the page', () => {
  test('loads nothing from elsewhere', () => {
    for (const sample of Object.values(samples))
      expect(renderHtml(sample())).not.toMatch(/<link|<img|@import|url\(|\ssrc=/);
  });

  test('has a script only when it follows a run that goes on', () => {
    expect(renderHtml(running(), { live: true })).toContain('<script>');
    expect(renderHtml(running(), { live: true })).toContain('<main data-refresh="2000">');
    for (const page of [renderHtml(running()), renderHtml(proven(), { live: true })]) {
      expect(page).not.toContain('<script');
      expect(page).toContain("default-src 'none'");
      expect(page).not.toContain('data-refresh=');
    }
  });

  test('needs no inline style, so that a server can forbid them', () => {
    for (const sample of Object.values(samples)) expect(renderHtml(sample(), { live: true })).not.toContain(' style="');
  });

  test('says how long a run and its step have been going on', () => {
    const text = words(renderHtml(running(), { now: '2026-11-21T14:32:11.204Z' }));
    expect(text).toContain('30 min so far');
    expect(text).toContain('Restore the backup beside , for 29 min 57 s');
  });

  test('draws every step of the timeline, however short it was', () => {
    const evidence = proven();
    const [first] = evidence.steps;
    if (first?.endedAt) first.endedAt = first.startedAt;
    const bars = [...renderHtml(evidence).matchAll(/class="step-bar" x="[\d.]+%" width="([\d.]+)%"/g)];
    expect(bars).toHaveLength(evidence.steps.length);
    for (const [, width] of bars) expect(Number(width)).toBeGreaterThan(0);
  });

  test('keeps times and LSNs in one piece', () => {
    const page = renderHtml(proven());
    for (const exact of ['0/5C8D1F0', '2026-11-21T13:55:09.000Z'])
      expect(page).toContain(`<span class="whole">${exact}</span>`);
  });

  test('marks a bar that is longer than what was promised, and never draws outside of it', () => {
    expect(renderHtml(flagged())).toMatch(/class="bar bad"[^>]*><rect width="100%" height="100%"\/><rect class="mark"/);
    for (const sample of Object.values(samples))
      for (const [, share] of renderHtml(sample()).matchAll(/(?:x|width)="([\d.-]+)%"/g)) {
        expect(Number(share)).toBeGreaterThanOrEqual(0);
        expect(Number(share)).toBeLessThanOrEqual(100);
      }
  });
});

describe('whatever the texts of the evidence are', () => {
  const elements = (page: string) => [...page.matchAll(/<\/?([a-zA-Z!][^\s/>]*)/g)].map(([, name]) => name);

  test('the page has no element and no attribute that they made', () => {
    fc.assert(
      fc.property(hostileEvidence, (evidence) => {
        const page = renderHtml(evidence);
        expect(page).not.toContain('<script');
        const known =
          /^(!doctype|html|head|meta|title|style|body|header|p|b|nav|a|main|div|span|svg|circle|path|h1|h2|h3|small|rect|line|text|section|article|dl|dt|dd|ul|ol|li|table|thead|tbody|tr|th|td|code|pre|br|details|summary|footer)$/;
        for (const name of elements(page)) expect(name).toMatch(known);
        expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^>]*\son\w+=/i);
        expect(page).not.toMatch(/href="(?!#|\/)/);
      }),
      { numRuns: 60 },
    );
  });

  test('a text put into markup comes back as it was, and as nothing else', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const { source } = html`<p title="${text}">${text}</p>`;
        expect(source.match(/[<>]/g)).toEqual(['<', '>', '<', '>']);
        expect(source.match(/"/g)).toHaveLength(2);
      }),
    );
  });

  test('the terminal gets no control character but line feeds, and colours only when it wants them', () => {
    fc.assert(
      fc.property(hostileEvidence, (evidence) => {
        const plain = [
          renderTerminal(evidence, { color: false }),
          ...terminalSteps(evidence, new Set(), { color: false }),
        ];
        for (const text of plain) expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
        const colored = renderTerminal(evidence, { color: true }).replaceAll(/\p{Cc}\[\d+m/gu, '');
        expect(colored).toBe(plain[0]);
      }),
      { numRuns: 60 },
    );
  });

  test('the Markdown keeps its tables, and has no HTML, link or image', () => {
    fc.assert(
      fc.property(hostileEvidence, (evidence) => {
        const text = renderMarkdown(evidence)
          .replace(/^(`{3,})\n[\s\S]*?\n\1$/gm, '')
          .replace(/(?<!\\)`[^`\n|]*`/g, 'code');
        expect(text).not.toMatch(/(?<!\\)<[a-z!/]/i);
        expect(text).not.toMatch(/(?<!\\)\]\(|https?:/);
        const rows = text.split('\n').filter((line) => line.startsWith('| '));
        for (const row of rows) expect(row).toMatch(/ \|$/);
        const cells = (row: string) => row.match(/(?<!\\)\|/g)?.length;
        const heads = text
          .split('\n')
          .flatMap((line, index, lines) => (/^\| ---/.test(line) ? [lines[index - 1] ?? ''] : []));
        expect(new Set(rows.map(cells))).toEqual(new Set(heads.map(cells)));
      }),
      { numRuns: 60 },
    );
  });

  test('the live page stays below what Temporal takes', () => {
    fc.assert(
      fc.property(hostileEvidence, fc.nat(40_000), (evidence, length) => {
        const [first] = evidence.steps;
        if (first) first.name = first.found = '漢'.repeat(length);
        evidence.failure = { type: 'Bug', message: '|'.repeat(length) };
        expect(Buffer.byteLength(renderLivePage(evidence, { pagesUrl: 'http://127.0.0.1:8080' }))).toBeLessThan(15_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the live page of the Temporal UI', () => {
  test('names the phase, when it began and when its budget ends, newest step first', () => {
    const page = renderLivePage(running(), { pagesUrl: 'http://127.0.0.1:8080' });
    expect(page).toContain('| … | Database | 14:02:14 | 14:47:14 |');
    expect(page.indexOf('Restore the backup beside')).toBeLessThan(page.indexOf('An anchor lies'));
    expect(page).toContain('[Report](<http://127.0.0.1:8080/runs/orders-7f3a>)');
  });

  test('ends with a filler, because the UI clips the last line', () => {
    expect(renderLivePage(running())).toMatch(/\n\u00a0\n$/);
  });
});

describe('the terminal, while the run goes on', () => {
  const look = { color: false };

  test('tells each thing once, and in the order in which it happened', () => {
    const printed = new Set<string>();
    const first = terminalSteps(running(), printed, look);
    expect(first.join('\n')).toContain('1 Assessment');
    expect(first.at(-1)).toMatch(/^2 Database +45 min allowed$/);
    expect(terminalSteps(running(), printed, look)).toEqual([]);
    const rest = terminalSteps(proven(), printed, look);
    expect(rest[0]).toBe('  ✓ restored 1.1 GB');
    expect(rest.join('\n')).not.toContain('Assessment');
    expect(terminalSteps(proven(), printed, look)).toEqual([]);
  });

  test('tells what a phase took once it has ended', () => {
    const printed = new Set<string>();
    terminalSteps(running(), printed, look);
    const lines = terminalSteps(proven(), printed, look);
    expect(lines.find((line) => line.includes('19 s of 45 min'))).toMatch(/19 s of 45 min {2}✓$/);
  });

  test('tells a run that is over at once like the whole report', () => {
    const whole = renderTerminal(proven(), look);
    for (const line of terminalSteps(proven(), new Set(), look)) expect(whole).toContain(line);
  });

  test('says of a cancelled step the same while the run goes on and after it', () => {
    const over = aborted();
    const cleaning: Evidence = { ...over, outcome: 'running' };
    const told = (evidence: Evidence) =>
      terminalSteps(evidence, new Set(), look).filter((line) => line.includes('Restore the backup beside'));
    expect(told(cleaning)).toEqual(['  ■ Restore the backup beside: cancelled']);
    expect(told(over)).toEqual(told(cleaning));
  });

  test('shows a failed step with all that is known, before anything is undone', () => {
    const evidence = notProven();
    evidence.outcome = 'running';
    delete evidence.failure;
    delete evidence.endedAt;
    expect(terminalSteps(evidence, new Set(), look).join('\n')).toContain(
      '✗ Restore the backup beside: base/16401/16423',
    );
  });
});
