/** The gateway under fire: killed, cut off, lied to. A click counts once or not at all, and somebody always hears of it. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { drawKey } from '../../../activities/people/keys.ts';
import { cast } from '../../../lab/slack/cast.ts';
import { postSigned, signedRequest } from '../../../lab/slack/request-url.ts';
import { approveUpdate } from '../../../workflows/messages.ts';
import { sampled } from '../../sample.ts';
import { eventually, freePort } from '../control/rig.ts';
import { type Question, signingSecret, useSlack } from './rig.ts';

const slack = useSlack();

afterEach(() => slack().workspace.faults());

async function approve(user: string, { channel, ts }: Question): Promise<void> {
  const { messages } = await slack().workspace.state();
  const block = messages.find((one) => one.ts === ts)?.blocks.find(({ type }) => type === 'actions')?.block_id ?? '';
  await slack().workspace.click(user, { channel, ts, block, action: 'lifeboat:approve' });
}

const clicks = async ({ run }: Question) => (await slack().evidence(run)).approvals?.[0]?.clicks ?? [];
const counted = async (question: Question) => (await clicks(question)).filter((one) => one.counted).map(({ by }) => by);
const pending = async () => readdir(join(slack().gateway.directory, 'pending'));

const troubles = [
  ['slow', { kind: 'slow', ms: 1_500 }],
  ['rate-limited', { kind: 'rate-limited', retryAfterS: 1 }],
  ['failing', { kind: 'status', status: 503 }],
  ['answering garbage', { kind: 'garbage' }],
] as const;

/** What one person was told, and nobody else. */
const told = (user: string, words: RegExp) =>
  eventually(`${user} is told ${words}`, async () => {
    const { messages } = await slack().workspace.state();
    return messages.some(({ onlyFor, text }) => onlyFor === user && words.test(text)) || undefined;
  });

const metric = (line: RegExp) =>
  eventually(`the gateway's metrics say ${line}`, async () => line.test(await slack().gateway.metrics()) || undefined);

describe('a click counts once', () => {
  test('when the gateway is killed between the click and its answer', async () => {
    const question = await slack().ask();
    await slack().worker.end();
    await approve(cast.ben.slack, question);
    expect(await pending()).toHaveLength(1);
    await slack().gateway.end('SIGKILL');
    await slack().worker.start();
    await slack().gateway.start();
    expect(
      await eventually('it counts', async () => ((await counted(question)).length > 0 ? counted(question) : undefined)),
    ).toEqual(['ben']);
    await told(cast.ben.slack, /1 of 2/);
    await slack().workspace.again();
    await eventually('nothing is left to deliver', async () => ((await pending()).length === 0 ? true : undefined));
    expect(await clicks(question)).toHaveLength(1);
    await question.handle.terminate();
  });

  test('when Slack delivers it twice', async () => {
    const question = await slack().ask();
    await approve(cast.ben.slack, question);
    await slack().workspace.again();
    await approve(cast.cara.slack, question);
    await question.handle.result();
    expect((await clicks(question)).map(({ by }) => by)).toEqual(['ben', 'cara']);
  });

  test('when two people click in the same moment: each counts', async () => {
    const question = await slack().ask();
    await Promise.all([approve(cast.ben.slack, question), approve(cast.cara.slack, question)]);
    await question.handle.result();
    expect((await counted(question)).toSorted()).toEqual(['ben', 'cara']);
  });

  test('when Temporal is away: the person is told, and it is delivered afterwards', async () => {
    const question = await slack().ask();
    await slack().worker.end();
    await slack().server.end();
    await approve(cast.cara.slack, question);
    await told(cast.cara.slack, /The run does not answer.*Your click is kept/);
    expect(await slack().gateway.metrics()).toMatch(/^lifeboat_slack_clicks_waiting 1$/m);
    await slack().server.start();
    await slack().worker.start();
    await eventually('it counts', async () => ((await counted(question)).includes('cara') ? true : undefined), 60_000);
    expect(await clicks(question)).toHaveLength(1);
    await metric(/^lifeboat_slack_clicks_waiting 0$/m);
    await metric(/^lifeboat_slack_clicks_total\{outcome="counted"\} [1-9]/m);
    await question.handle.terminate();
  });
});

describe('Slack away', () => {
  test('stops no run: it is approved past Slack, and the gateway comes back with Slack', async () => {
    const question = await slack().ask();
    await approve(cast.ben.slack, question);
    await eventually('it counts', async () => ((await counted(question)).length === 1 ? true : undefined));
    const { sockets: before } = await slack().workspace.state();
    await metric(/^lifeboat_slack_up 1$/m);
    await slack().workspace.faults({ fault: { kind: 'down' } });
    await metric(/^lifeboat_slack_up 0$/m);
    const { code } = question.approval;
    await question.handle.executeUpdate(approveUpdate, { args: [{ by: 'cara', code }] }).catch(() => undefined);
    expect((await clicks(question)).map(({ by, signed }) => [by, signed])).toEqual([
      ['ben', 'gateway'],
      ['cara', 'no'],
    ]);
    await slack().workspace.faults();
    await eventually(
      'a new socket',
      async () => (await slack().workspace.state()).sockets.opened > before.opened || undefined,
      60_000,
    );
    await approve(cast.cara.slack, question);
    await question.handle.result();
  });

  test.each(sampled(['refresh', 'drop'] as const, 1, 'socket'))(
    'for a moment (%s): the next click goes through',
    async (how) => {
      const question = await slack().ask();
      const { sockets: before } = await slack().workspace.state();
      await slack().workspace[how]();
      await eventually('a new socket', async () => {
        const { sockets } = await slack().workspace.state();
        return (sockets.opened > before.opened && sockets.open === 1) || undefined;
      });
      await approve(cast.ben.slack, question);
      await eventually('it counts', async () => ((await counted(question)).length === 1 ? true : undefined));
      await question.handle.terminate();
    },
  );

  test.each(sampled(troubles, 1, 'slack'))(
    'by being %s: the click counts, whether or not it can be answered',
    async (_what, fault) => {
      const question = await slack().ask();
      await slack().workspace.faults(
        { fault, method: 'chat.postEphemeral', times: 1 },
        { fault, method: 'chat.update', times: 1 },
      );
      await approve(cast.ben.slack, question);
      await eventually('it counts', async () => ((await counted(question)).length === 1 ? true : undefined));
      await question.handle.terminate();
    },
  );
});

describe('by request URL', () => {
  test('what is forged or old is refused, what is recorded and sent again does nothing', async () => {
    const port = await freePort();
    await slack().gateway.end();
    await slack().gateway.start({
      LIFEBOAT_SLACK_APP_TOKEN: '',
      LIFEBOAT_SLACK_SIGNING_SECRET: '${env:SIGNING}',
      SIGNING: signingSecret,
      LIFEBOAT_SLACK_LISTEN: `127.0.0.1:${port}`,
    });
    const address = `http://127.0.0.1:${port}/slack/events`;
    await slack().workspace.requestUrl(address);
    try {
      const question = await slack().ask();
      await approve(cast.ben.slack, question);
      await eventually('it counts', async () => ((await counted(question)).length === 1 ? true : undefined));
      const { payload } = (await slack().workspace.state()).told.at(-1) ?? { payload: {} };
      const cara = { ...payload, user: { id: cast.cara.slack } };
      const now = Math.floor(Date.now() / 1000);
      const refused = [
        postSigned(address, signedRequest('another secret', cara, 'interactive'), 5_000),
        postSigned(address, signedRequest(signingSecret, cara, 'interactive', now - 301), 5_000),
        postSigned(
          address,
          {
            ...signedRequest(signingSecret, payload, 'interactive'),
            body: signedRequest(signingSecret, cara, 'interactive').body,
          },
          5_000,
        ),
      ];
      for (const one of refused) await expect(one).rejects.toThrow('the app answered 401');
      await postSigned(address, signedRequest(signingSecret, payload, 'interactive'), 5_000);
      await postSigned(address, signedRequest(signingSecret, payload, 'interactive', now - 200), 5_000);
      await eventually('nothing is left to deliver', async () => ((await pending()).length === 0 ? true : undefined));
      expect((await clicks(question)).map(({ by }) => by)).toEqual(['ben']);
      await question.handle.terminate();
    } finally {
      await slack().workspace.requestUrl();
      await slack().gateway.end();
      await slack().gateway.start();
    }
  });
});

test('a gateway whose key the plan does not know approves nothing', async () => {
  const foreign = join(slack().gateway.directory, 'foreign.key');
  await writeFile(foreign, drawKey().export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  await slack().gateway.end();
  await slack().gateway.start({ LIFEBOAT_SLACK_KEY: foreign });
  const question = await slack().ask();
  await approve(cast.ben.slack, question);
  const [click] = await eventually('it is answered', async () =>
    (await clicks(question)).length > 0 ? clicks(question) : undefined,
  );
  expect(click).toMatchObject({ by: 'ben', signed: 'forged', counted: false });
  await question.handle.terminate();
  await slack().gateway.end();
  await slack().gateway.start();
});
