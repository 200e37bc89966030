import { describe, expect, test } from 'vitest';
import { loadPlanFile, loadPlanText } from '../../../plan/load.ts';
import { orders, problemsOf } from './orders.ts';

const lines = orders.split('\n').length - 1;
const components = `components:
  api:
    kind: systemd
    host: db1
    unit: orders.service
    healthy: { url: http://127.0.0.1:8080/health, contains: ok }
  worker:
    kind: systemd
    host: db1
    unit: orders-worker@1.service
    after: [api]
    staysUp: 10s
`;

/** Lines are counted from the one that says `components:`. */
function wrong(from: string, to: string): string[] {
  if (!components.includes(from)) throw new Error(`the components have no "${from}"`);
  return problemsOf(orders + components.replace(from, () => to)).map((problem) =>
    problem.replace(/^orders\.yaml:(\d+)/, (_, line) => `${Number(line) - lines}`),
  );
}

describe('an application that systemd keeps', () => {
  test('is read, and what is not said has a usual value', () => {
    const { api, worker } = loadPlanText(orders + components, 'x').plan.components ?? {};
    expect(api).toEqual({
      kind: 'systemd',
      after: [],
      host: 'db1',
      unit: 'orders.service',
      healthy: { url: 'http://127.0.0.1:8080/health', status: 200, contains: 'ok', within: 60_000 },
      staysUp: 5_000,
      startsWithin: 120_000,
      stopsWithin: 120_000,
      comesBackWithin: 120_000,
    });
    expect(worker).toMatchObject({ staysUp: 10_000, after: ['api'] });
    expect(worker).not.toHaveProperty('healthy');
  });

  test.each<[what: string, from: string, to: string, problem: string]>([
    [
      'a unit without its kind',
      'unit: orders.service',
      'unit: orders',
      '5:11 components.api.unit is not a unit: write it whole, such as orders.service or orders@1.service',
    ],
    [
      'a unit that is an option of systemctl',
      'unit: orders.service',
      'unit: --all.service',
      '5:11 components.api.unit is not a unit: write it whole, such as orders.service or orders@1.service',
    ],
    [
      'a template',
      'unit: orders.service',
      'unit: orders@.service',
      '5:11 components.api.unit is not a unit: write it whole, such as orders.service or orders@1.service',
    ],
    [
      'an address of another kind',
      'url: http://127.0.0.1:8080/health',
      'url: file:///etc/passwd',
      '6:21 components.api.healthy.url is not an address: write http://127.0.0.1:8080/health',
    ],
    [
      'a password in the address',
      'url: http://127.0.0.1:8080/health',
      'url: http://me:secret@127.0.0.1/health',
      '6:21 components.api.healthy.url: an address with a password in it: let it be asked without one',
    ],
    [
      'a status that is none',
      'contains: ok }',
      'status: 20 }',
      '6:59 components.api.healthy.status: a status is 100 to 599',
    ],
    [
      'no time at all to stay up',
      'staysUp: 10s',
      'staysUp: 0s',
      '12:14 components.worker.staysUp: "0s" is no time at all: write a number and a unit, such as 30s, 15m, 4h or 7d',
    ],
    [
      'a host of no site',
      'host: db1\n    unit: orders-w',
      'host: db11\n    unit: orders-w',
      '9:11 host "db11" is in no site: did you mean "db1"?',
    ],
    [
      'two components that are one unit',
      'unit: orders-worker@1.service',
      'unit: orders.service',
      '10:11 orders.service on db1 is the component api already: leave one of the two out',
    ],
  ])('is refused: %s', (_what, from, to, problem) => {
    expect(wrong(from, to)).toEqual([problem]);
  });

  test('stands in an example that is valid', async () => {
    const { plan } = await loadPlanFile(new URL('../../../examples/application.yaml', import.meta.url).pathname);
    expect(Object.values(plan.components ?? {}).map(({ kind }) => kind)).toEqual(['systemd', 'systemd']);
  });

  test('the approval that only some plans ask for may have a rule', () => {
    const people = `people:
  persons: { ana: { name: Ana, keys: ['ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='] }, ben: { name: Ben } }
  groups: { ops: [ana, ben] }
  unsigned: allowed
  approvals: { change-the-application: { group: ops } }
`;
    expect(problemsOf(orders + components + people)).toEqual([]);
  });
});
