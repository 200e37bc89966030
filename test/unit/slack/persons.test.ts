/** Who may hear of a run in Slack. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Persons } from '../../../workers/slack/persons.ts';
import { orders } from '../plan/orders.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'persons-'));
  const plan = (service: string, slack: string) => `${orders.replace('service: orders', `service: ${service}`)}people:
  persons: { ana: { name: Ana, slack: ${slack} } }
  groups: { dba: [ana] }
  approvals: {}
`;
  await writeFile(join(folder, 'orders.yaml'), plan('orders', 'U0ANA'));
  await writeFile(join(folder, 'billing.yaml'), plan('billing', 'U0BEN'));
});
afterAll(() => rm(folder, { recursive: true }));

test('somebody hears of the services whose plans name them, and of no others', async () => {
  const persons = new Persons(folder, pino({ level: 'silent' }));
  const hears = await Promise.all(
    (['U0ANA', 'U0BEN', 'U0STIG'] as const).map((user) =>
      Promise.all(['orders', 'billing', 'nowhere'].map((service) => persons.isPersonOf(user, service))),
    ),
  );
  expect(hears).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ]);
});
