/** The notifier and the lab's workspace, which holds to Block Kit's rules and to the scopes of the token as Slack does. */
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ControlRecords, Message } from '../../../activities/contract.ts';
import { post } from '../../../activities/notify/post.ts';
import type { Approval } from '../../../evidence/people.ts';
import { endTelling, statusTelling, tellings } from '../../../evidence/tellings.ts';
import { cast, incidentChannel } from '../../../lab/slack/cast.ts';
import type { Rule } from '../../../lab/slack/faults.ts';
import { type WorkspaceServer, workspaceServer } from '../../../lab/slack/server.ts';
import { proven, running } from '../../unit/evidence/samples.ts';

type Ask = Parameters<ControlRecords['post']>[0];

const token = 'xoxb-lab-of-this-test';
const approval: Approval = {
  id: 'traffic/switch-the-primary',
  name: 'Switch the primary',
  rule: 'default',
  round: 1,
  subject: { standby: 'db2' },
  shown: {},
  hash: 'ab'.repeat(32),
  nonce: 'n',
  code: 'KX4M-7QPT',
  quorum: 2,
  asked: [
    { group: 'dba', people: ['ana', 'ben'], since: '2026-11-21T14:02:11.000Z', until: '2026-11-21T14:17:11.000Z' },
  ],
  alternatives: {},
  openedAt: '2026-11-21T14:02:11.000Z',
  clicks: [],
};

let slack: WorkspaceServer;
let api: string;

beforeEach(async () => {
  slack = workspaceServer({ tokens: { bot: token, app: 'xapp-lab-of-this-test' }, signingSecret: 'of-this-test' });
  await new Promise<void>((resolve) => slack.server.listen(0, '127.0.0.1', resolve));
  api = `http://127.0.0.1:${(slack.server.address() as AddressInfo).port}/api/`;
  process.env.LIFEBOAT_TEST_WORKSPACE = token;
});
afterEach(() => slack.close());

function asking(message: Partial<Message> & Pick<Message, 'id'>, more: Partial<Ask> = {}): Ask {
  return {
    outlets: { slack: { token: '$' + '{env:LIFEBOAT_TEST_WORKSPACE}', api, channel: `#${incidentChannel.name}` } },
    run: running(),
    message: { kind: 'phase', headline: `This is ${message.id}`, lines: [], slackIds: {}, ...message },
    head: { headline: 'LIVE: Switchover of orders has begun', lines: [] },
    missed: [],
    mayBeThere: false,
    slackWithinMs: 6_000,
    ...more,
  };
}

/** What stands in the channel: all messages, in threads or not. */
function texts(): string[] {
  const { id } = incidentChannel;
  const heads = slack.workspace.history(id);
  return heads.flatMap((head) => slack.workspace.history(id, head.ts)).map((one) => one.text);
}

test('all that a run tells is laid out as Slack allows', async () => {
  const evidence = proven();
  const all = [...tellings(evidence, {}), statusTelling(running(), {}, evidence.startedAt, 1), endTelling(evidence)];
  const [first, ...rest] = all.map(({ key, kind, headline, lines }) => ({ id: key, kind, headline, lines }));
  if (first === undefined) throw new Error('a run tells nothing');
  const { thread } = await post(asking(first));
  for (const message of rest) expect(await post(asking(message, { thread }))).toMatchObject({ delivered: 'slack' });
  expect(texts()).toHaveLength(all.length);
  const blocks = slack.workspace.history(incidentChannel.id).map((one) => one.blocks.length);
  expect(Math.min(...blocks)).toBeGreaterThan(0);
});

test('an approval has buttons that work while it is open, and none when it is not', async () => {
  const slackIds = { ana: cast.ana.slack };
  const asked = await post(asking({ id: 'approval/x', kind: 'approval', approval, slackIds }));
  const message = () => slack.workspace.find(incidentChannel.id, asked.place?.ts ?? '');
  expect(JSON.stringify(message()?.blocks)).toContain('lifeboat:approve');
  expect(JSON.stringify(message()?.blocks)).toContain(`<@${cast.ana.slack}>`);
  const closed: Approval = {
    ...approval,
    closedAt: '2026-11-21T14:05:00.000Z',
    outcome: 'approved',
    why: 'by Ana and Ben',
  };
  const told = asking({ id: 'approval/x/closed', kind: 'approval', approval: closed }, { thread: asked.thread });
  await post({ ...told, closes: asked.place });
  expect(JSON.stringify(message()?.blocks)).not.toContain('lifeboat:');
  expect(JSON.stringify(message()?.blocks)).toContain('Approved');
});

const faults: [string, Rule[]][] = [
  ['is down for two requests', [{ fault: { kind: 'down' }, times: 2 }]],
  ['takes a message and does not say so', [{ fault: { kind: 'unheard' }, method: 'chat.postMessage', times: 1 }]],
  ['is slow', [{ fault: { kind: 'slow', ms: 700 } }]],
  ['wants to be left alone for a second', [{ fault: { kind: 'rate-limited', retryAfterS: 1 }, times: 1 }]],
  ['answers garbage at first', [{ fault: { kind: 'garbage' }, times: 1 }]],
  ['answers 503 at first', [{ fault: { kind: 'status', status: 503 }, times: 1 }]],
];

test.each(faults)('a workspace that %s has the message once', async (_how, rules) => {
  const { thread } = await post(asking({ id: 'start', kind: 'start' }));
  slack.faults.set(rules);
  expect(await post(asking({ id: 'phase/database' }, { thread }))).toMatchObject({ delivered: 'slack' });
  expect(slack.faults.struck[0]).toBeGreaterThan(0);
  expect(texts()).toEqual([
    expect.stringContaining('This is start'),
    expect.stringContaining('This is phase/database'),
  ]);
});

test('a workspace that is back is told what it has missed, once', async () => {
  const { thread } = await post(asking({ id: 'start', kind: 'start' }));
  slack.faults.set([{ fault: { kind: 'down' } }]);
  const lost = await post(asking({ id: 'phase/database' }, { thread, slackWithinMs: 1_000 }));
  expect(lost).toMatchObject({ delivered: 'nowhere' });
  slack.faults.set([]);
  const missed = [{ id: 'phase/database', headline: 'Phase 2 of 5: database' }];
  const back = await post(asking({ id: 'phase/application' }, { thread, missed, mayBeThere: true }));
  expect(back).toMatchObject({ delivered: 'slack', toldMissed: true });
  expect(texts().map((text) => text.split('\n')[0])).toEqual([
    'This is start',
    '1 message could not be posted here meanwhile',
    'This is phase/application',
  ]);
});
