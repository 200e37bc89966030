/** A database that Patroni keeps: what a plan says of it, and what it must leave to Patroni. */
import { expect, test } from 'vitest';
import { allSecretNames } from '../../../plan/hosts.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { orders, problemsOf } from './orders.ts';

const kept = orders.replace(
  'kind: standalone',
  'kind: patroni\n  scope: orders\n  rest: { user: lifeboat, password: "${file:/etc/lifeboat/patroni.password}" }',
);

const keptWith = (from: string, to: string) => {
  expect(kept).toContain(from);
  return problemsOf(kept.replace(from, to));
};

test('it is understood, with usual values for what is not said', () => {
  const { plan } = loadPlanText(kept, 'orders.yaml');
  expect(plan.database).toMatchObject({
    kind: 'patroni',
    rest: { port: 8008, protocol: 'http' },
    leaderWithin: 120_000,
  });
  expect(allSecretNames(plan)).toContain('${file:/etc/lifeboat/patroni.password}');
});

test.each<[what: string, from: string, to: string, problem: RegExp]>([
  ['no scope', '  scope: orders\n', '', /"scope" is missing in database/],
  ['a misspelt key', '  scope: orders\n', '  scop: orders\n', /unknown key "scop" in database: did you mean "scope"\?/],
  [
    'control over a server',
    'port: 5432, dataDirectory: /var/lib/postgresql/15/main }',
    'port: 5432, dataDirectory: /var/lib/postgresql/15/main, control: { kind: pg_ctl } }',
    /Patroni alone stops and starts the server on db1: nobody else may: leave control out/,
  ],
  [
    'a user without a password',
    ', password: "${file:/etc/lifeboat/patroni.password}"',
    '',
    /a user without a password/,
  ],
  ['a password in clear', '"${file:/etc/lifeboat/patroni.password}"', 'secret', /database\.rest\.password/],
  [
    'an address of a stranger',
    'user: lifeboat,',
    'user: lifeboat, urls: { db9: "http://10.0.0.9:8008" },',
    /host "db9" has no member/,
  ],
  [
    'an address that is none',
    'user: lifeboat,',
    'user: lifeboat, urls: { db1: "10.0.0.1:8008" },',
    /not an address: write http/,
  ],
  ['a fence', 'drills:\n', 'failover: { fencing: [{ kind: postgres }] }\ndrills:\n', /nothing is fenced by Lifeboat/],
])('%s is refused', (_what, from, to, problem) => {
  expect(keptWith(from, to).join('\n')).toMatch(problem);
});

test('what only Patroni has is refused on a pair that nobody keeps', () => {
  expect(problemsOf(orders.replace('kind: standalone', 'kind: standalone\n  scope: orders')).join('\n')).toMatch(
    /unknown key "scope" in database/,
  );
});
