/** All of it together: a switchover on a real estate asks in the workspace, two people click, and the servers change places. */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { signed } from '../../../activities/people/keys.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { startStatement } from '../../../evidence/statements.ts';
import { roles } from '../../../lab/pair.ts';
import { peopleFiles } from '../../../lab/people.ts';
import { cast, type LabPerson } from '../../../lab/slack/cast.ts';
import { workspaceAt } from '../../../lab/slack/client.ts';
import { backup, ended, useEstate } from '../drill/scenario.ts';
import { open, useBrowser } from '../pages/browser.ts';
import { filesOf, leaksIn, linesOfKey, type Places, ProcessWatch } from '../security/leaks.ts';
import { placesOf, terminal } from '../security/places.ts';

const scenario = useEstate({ people: {}, slack: true, load: { ordersPerSecond: 10 } });
const browser = useBrowser();

/** As the command line starts it: signed with the person's own key. */
async function startedBy(person: LabPerson, run: string) {
  const { estate, client } = scenario();
  const key = createPrivateKey(await readFile(peopleFiles(estate.root).key(person)));
  const input = { service: 'orders', mode: 'live', requestedBy: person };
  const requestSignature = signed(startStatement(run, person, input), key, 'person');
  return client.workflow.start('switchover', {
    taskQueue: 'lifeboat',
    workflowId: run,
    args: [{ ...input, requestSignature }],
  });
}

async function as(person: LabPerson): Promise<Page> {
  const { page } = await open(browser());
  await page.goto(`${scenario().estate.slackUrl}/?as=${cast[person].slack}`);
  return page;
}

test('a switchover is approved by two people in the workspace, and the servers change places', async () => {
  await backup(scenario());
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'standby' });
  const handle = await startedBy('ana', 'orders-slack');
  const ben = await as('ben');
  const asked = (page: Page) => page.locator('.message', { hasText: 'Switch the primary' });
  const approve = async (page: Page) => {
    await asked(page).getByRole('button', { name: 'Approve', exact: true }).click({ timeout: 60_000 });
    await page.locator('dialog[open]').getByRole('button', { name: 'Approve', exact: true }).click();
  };
  await approve(ben);
  await ben.locator('.message.only').filter({ hasText: '1 of 2' }).waitFor();
  const cara = await as('cara');
  await approve(cara);
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'completed', requester: { person: 'ana', certain: true } });
  expect(await roles(scenario().estate)).toEqual({ db1: 'standby', db2: 'primary' });
  expect(whoSigned(evidence)).toEqual([
    ['ben', 'slack', 'gateway'],
    ['cara', 'slack', 'gateway'],
  ]);
  await everythingInOneThread(evidence);
  await cara.getByText('✓ Approved').first().waitFor();
  expect(await asked(cara).getByRole('button').count()).toBe(0);
}, 180_000);

test('and nothing that can be read of it tells a secret of its people', async () => {
  const { estate, client } = scenario();
  const files = peopleFiles(estate.root);
  const word = async (file: string) => (await readFile(file, 'utf8')).trim();
  const secrets = {
    'token of the app': await word(files.token),
    'token for sockets': await word(files.appToken),
    'signing secret': await word(files.signingSecret),
    ...(await linesOfKey('the gateway', files.gatewayKey)),
    ...(await linesOfKey('ana', files.key('ana'))),
  };
  const watch = new ProcessWatch((environment) => environment.includes(estate.root));
  const places: Places = new Map([
    ...(await terminal(estate, [
      ['status'],
      ['report', 'orders-slack'],
      ['report', 'orders-slack', '--format', 'json'],
    ])),
    ...(await placesOf({ estate, client }, ['orders-slack'])),
    ...(await filesOf(files.gatewayDirectory, 'clicks of the gateway')),
    ['workspace', Buffer.from(JSON.stringify(await workspaceAt(estate.slackUrl).state()))],
    ...(await watch.stop()),
  ]);
  // Who approved is no secret: there was something to look at.
  expect(places.get('history: switchover orders-slack')?.toString()).toContain('gateway');
  expect(places.get('workspace')?.toString()).toContain('Switch the primary');
  expect([...places.keys()].some((place) => place.startsWith('log: slack'))).toBe(true);
  expect(leaksIn(places, secrets)).toEqual([]);
}, 180_000);

function whoSigned({ approvals = [] }: Evidence): string[][] {
  return approvals.flatMap(({ clicks }) =>
    clicks.filter(({ counted }) => counted).map(({ by, channel, signed: how }) => [by, channel, how]),
  );
}

/** The workspace's own memory, not what Lifeboat says it has posted. */
async function everythingInOneThread({ posts = [] }: Evidence): Promise<void> {
  const { messages } = await workspaceAt(scenario().estate.slackUrl).state();
  const seen = messages.filter(({ onlyFor }) => onlyFor === undefined);
  const heads = seen.filter(({ thread }) => thread === undefined);
  expect(heads).toHaveLength(1);
  expect(seen.every((one) => one === heads[0] || one.thread === heads[0]?.ts)).toBe(true);
  const keys = seen.map(({ metadata }) => metadata?.event_payload.key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(posts.map(({ delivered }) => delivered)).not.toContain('nowhere');
}
