/** The notifier against real sockets: a Slack that is down, slow, rate-limited, garbled and back again; and a webhook. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlRecords, Message, Posted } from '../../../activities/contract.ts';
import { post } from '../../../activities/notify/post.ts';
import type { Place } from '../../../evidence/people.ts';
import { running } from '../../unit/evidence/samples.ts';
import { channelId, type Fate, HookEndpoint, SlackEndpoint } from './slack-endpoint.ts';

type Ask = Parameters<ControlRecords['post']>[0];

const token = 'xoxb-not-a-real-token';
const path = '/hooks/a-secret-path';
const run = running();

let slack: SlackEndpoint;
let hook: HookEndpoint;
let api: string;

beforeEach(async () => {
  slack = new SlackEndpoint();
  hook = new HookEndpoint();
  api = `${await slack.start()}/api`;
  process.env.LIFEBOAT_TEST_SLACK = token;
  process.env.LIFEBOAT_TEST_HOOK = `${await hook.start()}${path}`;
});
afterEach(async () => {
  await slack.stop();
  await hook.stop();
});

function message(id: string, more: Partial<Message> = {}): Message {
  const lines = [{ label: 'Done', text: 'assessment (3 min of 15 min)' }];
  return { id, kind: 'phase', headline: `This is ${id}`, lines, slackIds: {}, ...more };
}

function asking(id: string, more: Partial<Ask> = {}): Ask {
  return {
    outlets: {
      slack: { token: '$' + '{env:LIFEBOAT_TEST_SLACK}', api, channel: channelId },
      webhook: '$' + '{env:LIFEBOAT_TEST_HOOK}',
    },
    run,
    message: message(id),
    head: { headline: 'LIVE: Switchover of orders has begun', lines: [] },
    missed: [],
    mayBeThere: false,
    slackWithinMs: 3_000,
    ...more,
  };
}

/** From now on Slack does this with every message. */
const always = (fate: Fate) => async () => {
  slack.always = { 'chat.postMessage': fate };
};
const answering = (status: number) => async () => {
  hook.status = status;
};

const keyOf = (id: string) => `${run.runId}/posts/${id}`;

/** Posts what begins a run, and returns where it is. */
async function begun(): Promise<Place> {
  const { thread } = await post(asking('start'));
  if (thread === undefined) throw new Error('no thread was begun');
  return thread;
}

describe('a message', () => {
  test('begins the thread of its run, and those that follow stand below it', async () => {
    const thread = await begun();
    const second = await post(asking('phase/database', { thread }));
    expect(second).toMatchObject({ delivered: 'slack', place: { channel: channelId } });
    expect(slack.keys).toEqual([keyOf('start'), keyOf('phase/database')]);
    expect(slack.told.map((one) => one.thread_ts)).toEqual([undefined, thread.ts]);
    expect(hook.taken).toEqual([]);
  });

  test('that could not be preceded by the first one begins the thread with it', async () => {
    const posted = await post(asking('phase/database'));
    expect(slack.keys).toEqual([keyOf('start'), keyOf('phase/database')]);
    expect(slack.told[0]?.text).toContain('LIVE: Switchover of orders has begun');
    expect(slack.told[1]?.thread_ts).toBe(posted.thread?.ts);
  });

  test('goes to a channel that the plan names by its name', async () => {
    const ask = asking('start');
    ask.outlets.slack = { token: '$' + '{env:LIFEBOAT_TEST_SLACK}', api, channel: '#incident' };
    expect(await post(ask)).toMatchObject({ delivered: 'slack', thread: { channel: channelId } });
    // The worker was killed before it could say so; another one tries.
    expect(await again(ask)).toMatchObject({ delivered: 'slack' });
    expect(slack.told).toHaveLength(1);
  });

  test('of hostile words calls nobody and leads nowhere', async () => {
    const headline = '<!channel> <https://evil.example|report> `x` & <@U0EVIL>';
    await post(
      asking('start', { message: message('start', { headline, slackIds: { ana: 'U01ANA', eve: '!channel' } }) }),
    );
    const { text = '' } = slack.told[0] ?? {};
    expect(text).toMatch(/^<@U01ANA> &lt;!channel&gt;/);
    expect(text.match(/<[^>]*>/g)).toEqual(['<@U01ANA>']);
  });

  test('that Slack finds too odd is told in plain words', async () => {
    slack.fates = [{ refuses: 'invalid_blocks' }];
    expect(await post(asking('start'))).toMatchObject({ delivered: 'slack' });
    expect(slack.told[0]?.blocks).toBeUndefined();
  });
});

/** Another attempt of the activity, after the worker of the first was killed. */
function again(ask: Ask): Promise<Posted> {
  return new MockActivityEnvironment({ attempt: 2 }).run(post, ask) as Promise<Posted>;
}

describe('no message is told twice', () => {
  test('when the worker was killed after it was posted', async () => {
    const thread = await begun();
    const first = await post(asking('phase/database', { thread }));
    const second = await again(asking('phase/database', { thread }));
    expect(second.place).toEqual(first.place);
    expect(slack.told).toHaveLength(2);
  });

  test('when the worker was killed after the thread was begun', async () => {
    await begun();
    const posted = await again(asking('phase/database'));
    expect(slack.keys).toEqual([keyOf('start'), keyOf('phase/database')]);
    expect(slack.told[1]?.thread_ts).toBe(posted.thread?.ts);
  });

  test('when the worker was killed before it was posted: then it is posted', async () => {
    const thread = await begun();
    await again(asking('phase/database', { thread }));
    expect(slack.keys).toEqual([keyOf('start'), keyOf('phase/database')]);
  });

  test('when the answer was lost', async () => {
    const thread = await begun();
    slack.fates = ['lost'];
    expect(await post(asking('phase/database', { thread }))).toMatchObject({ delivered: 'slack' });
    expect(slack.told).toHaveLength(2);
  });

  test('when Slack takes it long after it was waited for', async () => {
    const thread = await begun();
    slack.fates = [{ slowMs: 1_600 }];
    expect(await post(asking('phase/database', { thread }))).toMatchObject({ delivered: 'slack' });
    expect(slack.told).toHaveLength(2);
  });

  test('when Slack is too slow to be waited for: the webhook tells it, and later it is known to have come', async () => {
    const thread = await begun();
    slack.fates = [{ slowMs: 1_500 }];
    const late = await post(asking('phase/database', { thread, slackWithinMs: 600 }));
    expect(late).toMatchObject({ delivered: 'webhook', unsure: true, why: expect.stringContaining('Slack: ') });
    await expect.poll(() => slack.told.length, { timeout: 10_000 }).toBe(2);
    const missed = [{ id: 'phase/database', headline: 'This is phase/database' }];
    await post(asking('phase/application', { thread, missed, mayBeThere: true }));
    expect(slack.keys.slice(2)).toEqual([keyOf('phase/application')]);
  });
});

describe('Slack that does not take it', () => {
  test.each([
    ['is down', async () => slack.stop()],
    ['answers 500', always('broken')],
    ['answers garbage', always('garbage')],
    ['refuses', always({ refuses: 'invalid_auth' })],
    ['wants to be left alone for a minute', always({ retryAfter: 60 })],
  ])('because it %s: the webhook tells it within seconds', async (_how, makeIt) => {
    await makeIt();
    const began = performance.now();
    const posted = await post(asking('start', { slackWithinMs: 1_500 }));
    expect(posted).toMatchObject({ delivered: 'webhook', why: expect.stringMatching(/^Slack: \S/) });
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(hook.taken).toHaveLength(1);
    expect(slack.told).toHaveLength(0);
  });

  test('is asked again when it has rested for as long as it wanted, and not before', async () => {
    slack.fates = [{ retryAfter: 1 }];
    expect(await post(asking('start'))).toMatchObject({ delivered: 'slack' });
    const [first, second] = slack.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
    expect(slack.told).toHaveLength(1);
  });

  test('is left alone by the next message too, until it has rested', async () => {
    slack.fates = [{ retryAfter: 60 }];
    const { restUntil } = await post(asking('start'));
    const requests = slack.requests.length;
    const next = await post(asking('phase/database', { restUntil }));
    expect(next).toMatchObject({ delivered: 'webhook', restUntil: expect.any(String) });
    expect(slack.requests).toHaveLength(requests);
  });

  test('is told, once it is back, what it has missed', async () => {
    const thread = await begun();
    const missed = ['one', 'two', 'three'].map((id) => ({ id, headline: `This is ${id}` }));
    expect(await post(asking('phase/database', { thread, missed }))).toMatchObject({ toldMissed: true });
    expect(slack.told[1]?.text).toMatch(
      /^3 messages could not be posted here meanwhile\n1: This is one\n2: This is two/,
    );
    expect(slack.told).toHaveLength(3);
    // The worker was killed before it could say so.
    await again(asking('phase/database', { thread, missed }));
    expect(slack.told).toHaveLength(3);
  });
});

describe('the webhook', () => {
  test('is given the message in the documented shape, with the same key in each attempt', async () => {
    await slack.stop();
    await post(asking('phase/database'));
    await post(asking('phase/database'));
    expect(hook.taken.map((one) => one.key)).toEqual([keyOf('phase/database'), keyOf('phase/database')]);
    expect(hook.taken[0]?.body).toEqual({
      schema: 'lifeboat.post/1',
      key: keyOf('phase/database'),
      service: 'orders',
      run: run.run,
      runbook: 'monthly-drill',
      mode: 'drill',
      outcome: 'running',
      kind: 'phase',
      headline: 'This is phase/database',
      lines: [{ label: 'Done', text: 'assessment (3 min of 15 min)' }],
      text: 'This is phase/database\nDone: assessment (3 min of 15 min)',
    });
  });

  test.each([
    ['is down', async () => hook.stop(), /webhook: ECONNREFUSED/],
    ['answers 500', answering(500), /webhook: it answered 500/],
    ['leads elsewhere', answering(302), /webhook: it answered 302/],
  ])('that %s leaves nobody told, which is said without a secret', async (_how, makeIt, why) => {
    await makeIt();
    slack.always = { 'chat.postMessage': { refuses: 'invalid_auth' } };
    const posted = await post(asking('start'));
    expect(posted).toMatchObject({ delivered: 'nowhere', why: expect.stringMatching(why) });
    expect(JSON.stringify(posted)).not.toMatch(/a-secret-path|xoxb/);
  });

  test('is not told again of a question that only Slack has still to show', async () => {
    await slack.stop();
    expect(await post(asking('approval/x', { slackOnly: true }))).toMatchObject({ delivered: 'nowhere' });
    expect(hook.taken).toEqual([]);
  });
});

test('a secret that cannot be read is said by its name, and stops nothing', async () => {
  const ask = asking('start');
  ask.outlets = { slack: { token: '$' + '{env:NOT_SET_HERE}', api, channel: channelId } };
  const posted = await post(ask);
  expect(posted).toMatchObject({ delivered: 'nowhere', why: expect.stringContaining('${env:NOT_SET_HERE}') });
});

test('a message that repeats a secret is told without it', async () => {
  await post(asking('start', { message: message('start', { headline: `it said ${token}` }) }));
  expect(JSON.stringify(slack.told)).not.toContain(token);
});

test('when a question is closed its buttons go, and how it ended is told besides', async () => {
  const thread = await begun();
  const { place } = await post(asking('approval/x', { thread }));
  await post(asking('approval/x/closed', { thread, closes: place }));
  expect(slack.told[1]?.text).toContain('This is approval/x/closed');
  expect(slack.keys[2]).toBe(keyOf('approval/x/closed'));
  // Somebody has deleted the message meanwhile.
  slack.told.splice(1, 1);
  expect(await post(asking('approval/y/closed', { thread, closes: place }))).toMatchObject({ delivered: 'slack' });
});
