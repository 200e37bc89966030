import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { planInWords } from '../../../cli/plan/words.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { orders, ordersWith, problemsOf } from './orders.ts';

/** Its first line is the first of the whole. */
const lines = orders.split('\n').length - 1;
const visitors = `visitors:
  kind: haproxy
  socket: /run/haproxy/admin.sock
  backend: app
  servers: [app1, app2]
  closed: sorry
  healthy: { url: 'https://orders.example.com/health', contains: ok }
`;
const externals = `externals:
  - { name: payments, url: 'https://pay.example.com/' }
  - { name: pictures, url: 'https://cdn.example.com/pixel.png', within: 2s }
`;

/** Lines are counted from the one that says `visitors:`. */
function wrong(section: string, from = '', to = ''): string[] {
  if (!section.includes(from)) throw new Error(`the section has no "${from}"`);
  return problemsOf(orders + section.replace(from, () => to)).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+)/, (_, line) => `${Number(line) - lines}`),
  );
}

describe('visitors that are right', () => {
  test('are read, and what is not said has a usual value', () => {
    const { plan } = loadPlanText(orders + visitors, 'x');
    expect(plan.visitors).toEqual({
      kind: 'haproxy',
      socket: '/run/haproxy/admin.sock',
      backend: 'app',
      servers: ['app1', 'app2'],
      closed: 'sorry',
      shares: [5, 25, 100],
      soak: 60_000,
      healthy: { url: 'https://orders.example.com/health', status: 200, contains: 'ok', within: 5_000 },
      stopWhen: { errors: 2, latency: 500 },
    });
    expect(loadPlanText(orders, 'x').plan.visitors).toBeUndefined();
  });

  test('are those that the pages about them show', async () => {
    for (const page of ['docs/traffic-shift.md', 'docs/network-diagnosis.md']) {
      const text = await readFile(page, 'utf8');
      const shown = [...text.matchAll(/```yaml\n((?:visitors|externals):.*?)```/gs)].map(([, yaml = '']) => yaml);
      expect(shown.length).toBeGreaterThan(0);
      for (const yaml of shown) expect(problemsOf(orders + yaml)).toEqual([]);
    }
  });

  test('are read aloud', () => {
    const told = planInWords(loadPlanText(orders + visitors + externals, 'x'), new Date('2026-11-21T00:00:00Z'));
    expect(told).toContain(
      'Visitors come by https://orders.example.com/health: HAProxy (backend app) leads them to app1 and app2, and sorry gets what is left.',
    );
    expect(told).toContain('They are led there by shares of 5 %, 25 % and 100 %, each watched for 1 min.');
    expect(told).toContain('more than 2 % of the answers fail, or one in twenty takes longer than 0.5 s.');
    expect(told).toContain('It needs payments and pictures of others');
  });
});

test('a plan may give the approval of a shift a rule, and need not', () => {
  const people = (rule: string) => `people:
  persons: { ana: { name: Ana }, ben: { name: Ben } }
  groups: { dba: [ana, ben] }
  unsigned: allowed
  approvals: { ${rule}: { group: dba } }
`;
  expect(problemsOf(orders + visitors + people('shift-traffic'))).toEqual([]);
  const told = planInWords(loadPlanText(orders + people('fail-over'), 'x'), new Date('2026-11-21T00:00:00Z'));
  expect(told).toContain('Nobody can approve "switch-the-primary"');
  expect(told).not.toContain('Nobody can approve "shift-traffic"');
});

describe('visitors are refused with line, column and what to write instead', () => {
  test('unless they are right', () => {
    expect(wrong(visitors)).toEqual([]);
    expect(wrong(`${visitors}  shares: [100]\n`, '  closed: sorry\n')).toEqual([]);
    expect(wrong(externals)).toEqual([]);
  });

  test.each<[what: string, section: string, from: string, to: string, problem: string | RegExp]>([
    ['a kind that there is not', visitors, 'haproxy', 'nginx', /^2:9 .*write haproxy/],
    ['a server that is named twice', visitors, '[app1, app2]', '[app1, app1]', /^5:19 .*app1 is named already/],
    [
      'a name that would be a command',
      visitors,
      '[app1, app2]',
      "['app1 weight 0; quit']",
      /^5:\d+ .*not a name of a server/,
    ],
    [
      'one that serves and is closed',
      visitors,
      'closed: sorry',
      'closed: app1',
      /^6:11 .*one of the servers that serve/,
    ],
    [
      'the front door of the database',
      visitors,
      'backend: app',
      'backend: postgres',
      /^4:12 .*front door of the database/,
    ],
    [
      'shares that do not rise',
      visitors,
      'closed: sorry',
      'closed: sorry\n  shares: [25, 25, 100]',
      /^7:16 .*25 does not come after 25/,
    ],
    [
      'shares that do not end with all',
      visitors,
      'closed: sorry',
      'closed: sorry\n  shares: [5, 25]',
      /^7:3 .*the last share is 100/,
    ],
    ['a share that is none', visitors, 'closed: sorry', 'closed: sorry\n  shares: [0, 100]', /^7:12 .*from 1 to 100/],
    ['nobody who gets what is left', visitors, '  closed: sorry\n', '', /nobody gets what is left of a share/],
    [
      'a share that weights cannot give',
      visitors,
      '[app1, app2]\n',
      '[a, b, c, d, e, f]\n  shares: [2, 100]\n',
      /^6:12 .*cannot give 2 % to 6 servers.*write 3 or more/,
    ],
    [
      'a soak beyond its phase',
      visitors,
      'closed: sorry',
      'closed: sorry\n  soak: 30m',
      /^7:9 .*take 1h30m.*phases.traffic is 1h/,
    ],
    [
      'errors that are no part',
      visitors,
      'closed: sorry',
      'closed: sorry\n  stopWhen: { errors: 2 }',
      /^7:\d+ .*not a part of a whole/,
    ],
    [
      'more than all errors',
      visitors,
      'closed: sorry',
      'closed: sorry\n  stopWhen: { errors: 101% }',
      /^7:\d+ .*not a part of a whole/,
    ],
    [
      'a window beyond the soak',
      visitors,
      'closed: sorry',
      'closed: sorry\n  stopWhen: { for: 2m }',
      /^7:20 .*longer than a share is watched/,
    ],
    [
      'a latency that is never seen',
      visitors,
      'closed: sorry',
      'closed: sorry\n  stopWhen: { latency: 6s }',
      /^7:24 .*could never be seen/,
    ],
    ['a password in an address', visitors, 'https://', 'https://me:secret@', /^7:\d+ .*a password in it/],
    ['an address that is none', externals, "'https://pay.example.com/'", 'pay.example.com', /^2:\d+ .*not an address/],
    ['an external that is named twice', externals, 'pictures', 'payments', /^3:\d+ .*payments is named already/],
  ])('%s', (_what, section, from, to, problem) => {
    const problems = wrong(section, from, to);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test('a password that stands in an address is not shown', () => {
    expect(wrong(visitors, 'https://', 'https://me:secret@').join()).not.toContain('secret@');
  });
});

test('the phase of the plan is named as the plan has it', () => {
  const short = ordersWith(['traffic: 60m', 'traffic: 2m']);
  expect(problemsOf(short + visitors)).toEqual([expect.stringContaining('phases.traffic is 2m')]);
});
