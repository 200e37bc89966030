/** The lab's workspace, asked by Slack's own client: what it refuses, what it forgets, what it does wrong when told to. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { incidentChannel, stranger } from '../../../lab/slack/cast.ts';
import { workspaceAt } from '../../../lab/slack/client.ts';
import { type WorkspaceServer, workspaceServer } from '../../../lab/slack/server.ts';

let running: WorkspaceServer;
let url: string;
let client: WebClient;
let control: ReturnType<typeof workspaceAt>;

const clientWith = (token: string) =>
  new WebClient(token, { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });

beforeAll(async () => {
  running = workspaceServer({ tokens: { bot: 'xoxb-1', app: 'xapp-1' }, signingSecret: 'secret' });
  running.server.listen(0, '127.0.0.1');
  await once(running.server, 'listening');
  url = `http://127.0.0.1:${(running.server.address() as AddressInfo).port}`;
  client = clientWith('xoxb-1');
  control = workspaceAt(url);
});
afterAll(() => running.close());
beforeEach(() => control.faults());

const channel = `#${incidentChannel.name}`;
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => 'nothing',
    (error: Error & { data?: { error?: string } }) => error.data?.error ?? error.message,
  );

const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });

describe('what is posted', () => {
  test('is found again by its metadata, in its thread, after an update too', async () => {
    const head = await client.chat.postMessage({ channel, text: 'a run' });
    const id = head.channel ?? '';
    const thread = head.ts ?? '';
    const metadata = { event_type: 'lifeboat_post', event_payload: { key: 'k1' } };
    const reply = await client.chat.postMessage({ channel: id, thread_ts: thread, text: 'an approval', metadata });
    await client.chat.update({ channel: id, ts: reply.ts ?? '', text: 'approved', blocks: [section('approved')] });
    const { messages = [] } = await client.conversations.replies({
      channel: id,
      ts: thread,
      include_all_metadata: true,
    });
    expect(messages.map(({ text }) => text)).toEqual(['a run', 'approved']);
    expect(messages[1]).toMatchObject({ metadata, thread_ts: thread, blocks: [{ type: 'section' }] });
  });

  test('to one person is seen by nobody else, and cannot be updated', async () => {
    const { message_ts } = await client.chat.postEphemeral({
      channel: incidentChannel.id,
      user: stranger.slack,
      text: 'not you',
    });
    expect(await (await fetch(`${url}/?as=${stranger.slack}`)).text()).toContain('not you');
    expect(await (await fetch(url)).text()).not.toContain('not you');
    const update = client.chat.update({ channel: incidentChannel.id, ts: message_ts ?? '', text: 'changed' });
    expect(await refusal(update)).toBe('message_not_found');
  });

  test.each([
    [
      'a section that is too long',
      [section('x'.repeat(3_001))],
      /must be less than 3001 characters .*\/blocks\/0\/text\/text/,
    ],
    ['51 blocks', Array.from({ length: 51 }, () => section('x')), /no more than 50 items/],
    ['a section without text', [{ type: 'section' }], /text or fields/],
    ['an unknown field', [{ ...section('x'), colour: 'red' }], /colour/],
    [
      '11 fields',
      [{ type: 'section', fields: Array.from({ length: 11 }, () => ({ type: 'mrkdwn', text: 'x' })) }],
      /no more than 10/,
    ],
    [
      'two blocks of one name',
      [
        { ...section('x'), block_id: 'a' },
        { ...section('y'), block_id: 'a' },
      ],
      /`block_id` a already exists/,
    ],
  ])('with %s is refused, and says where', async (_what, blocks, why) => {
    const body = JSON.stringify({ channel, text: 'x', blocks });
    const headers = { authorization: 'Bearer xoxb-1', 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/chat.postMessage`, { method: 'POST', headers, body });
    const answer = (await response.json()) as { response_metadata: { messages: string[] } };
    expect(answer).toMatchObject({ ok: false, error: 'invalid_blocks' });
    expect(answer.response_metadata.messages.join()).toMatch(why);
  });
});

describe('a token', () => {
  test.each([
    ['xoxb-2', 'invalid_auth'],
    ['xapp-1', 'not_allowed_token_type'],
  ])('%s does not post', async (token, error) => {
    expect(await refusal(clientWith(token).chat.postMessage({ channel, text: 'x' }))).toBe(error);
  });

  test('without a scope is told which', async () => {
    expect(await refusal(client.users.info({ user: stranger.slack }))).toBe('missing_scope');
  });
});

describe('a dialog', () => {
  test('opens once, by a trigger of somebody', async () => {
    const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'x' }, blocks: [section('x')] };
    expect(await refusal(client.views.open({ trigger_id: 'made up', view }))).toBe('invalid_trigger_id');
    const trigger_id = running.workspace.trigger(stranger.slack);
    expect((await client.views.open({ trigger_id, view })).ok).toBe(true);
    expect(await refusal(client.views.open({ trigger_id, view }))).toBe('exchanged_trigger_id');
    expect((await control.state()).views.map(({ user }) => user)).toEqual([stranger.slack]);
  });
});

const word = { type: 'plain_text' as const, text: 'x' };
const chosen = { text: word, value: 'a' };
const asking = (element: object) => ({ type: 'input', block_id: 'a', label: word, element });
const words = asking({ type: 'plain_text_input', action_id: 'a' });
const choice = (initial_option: object) =>
  asking({ type: 'static_select', action_id: 'a', options: [chosen], initial_option });

test.each([
  ['that asks for something and cannot be submitted', { blocks: [words] }, /submit/],
  [
    'whose list begins with what it does not offer',
    { submit: word, blocks: [choice({ ...chosen, value: 'b' })] },
    /one of the options/,
  ],
  [
    'with a title of 25 characters',
    { title: { ...word, text: 'x'.repeat(25) }, blocks: [section('x')] },
    /less than 25/,
  ],
  ['with more than it can carry', { private_metadata: 'x'.repeat(3_001), blocks: [section('x')] }, /less than 3001/],
])('a dialog %s is refused', async (_what, more, why) => {
  const trigger_id = running.workspace.trigger(stranger.slack);
  const view = { type: 'modal', title: word, ...more };
  const body = JSON.stringify({ trigger_id, view });
  const headers = { authorization: 'Bearer xoxb-1', 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/views.open`, { method: 'POST', headers, body });
  const answer = (await response.json()) as { response_metadata: { messages: string[] } };
  expect(answer).toMatchObject({ ok: false, error: 'invalid_arguments' });
  expect(answer.response_metadata.messages.join()).toMatch(why);
});

test('a dialog that can be submitted, and begins with one of its options, opens', async () => {
  const view = { type: 'modal', title: word, submit: word, blocks: [choice(chosen)] };
  const body = JSON.stringify({ trigger_id: running.workspace.trigger(stranger.slack), view });
  const headers = { authorization: 'Bearer xoxb-1', 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/views.open`, { method: 'POST', headers, body });
  expect(await response.json()).toMatchObject({ ok: true });
});

describe('told to', () => {
  const post = () => refusal(client.chat.postMessage({ channel, text: 'under fire' }));

  test('limit the rate, it says when to come again', async () => {
    await control.faults({ fault: { kind: 'rate-limited', retryAfterS: 7 }, times: 1 });
    expect(await post()).toMatch(/rate-limit.*7/i);
    expect(await post()).toBe('nothing');
  });

  test.each([
    ['be down', { kind: 'down' }],
    ['answer garbage', { kind: 'garbage' }],
    ['fail', { kind: 'status', status: 503 }],
  ] as const)('%s, it takes nothing', async (_what, fault) => {
    const before = (await control.state()).messages.length;
    await control.faults({ fault, method: 'chat.postMessage', times: 1 });
    expect(await post()).not.toBe('nothing');
    expect((await control.state()).messages).toHaveLength(before);
    expect((await control.state()).struck).toEqual([1]);
  });

  test('be unheard, it takes what nobody hears of', async () => {
    const before = (await control.state()).messages.length;
    await control.faults({ fault: { kind: 'unheard' }, method: 'chat.postMessage', times: 1 });
    expect(await post()).not.toBe('nothing');
    expect((await control.state()).messages).toHaveLength(before + 1);
  });
});

test('what the app wrote for others to click does nothing on the page but to show', async () => {
  await client.chat.postMessage({ channel, text: '&lt;script&gt;alert(1)&lt;/script&gt; <!channel> *bold*' });
  const page = await (await fetch(url)).text();
  expect(page).not.toContain('<script>alert');
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page).toContain('<b>bold</b>');
});
