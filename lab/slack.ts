/**
 * The lab's workspace: a stand-in of Slack, with the part of its API that Lifeboat uses and a page that people click.
 *
 * Environment: LAB_SLACK_PORT, LAB_SLACK_TOKEN_FILE, LAB_SLACK_APP_TOKEN_FILE, LAB_SLACK_SECRET_FILE; LAB_SLACK_REQUEST_URL to post
 * there instead of Socket Mode.
 */
import { readFileSync } from 'node:fs';
import { required } from './environment.ts';
import { workspaceServer } from './slack/server.ts';

const secret = (name: string): string => readFileSync(required(name), 'utf8').trim();

const requestUrl = process.env.LAB_SLACK_REQUEST_URL;
const { server, close } = workspaceServer({
  tokens: { bot: secret('LAB_SLACK_TOKEN_FILE'), app: secret('LAB_SLACK_APP_TOKEN_FILE') },
  signingSecret: secret('LAB_SLACK_SECRET_FILE'),
  ...(requestUrl === undefined ? {} : { requestUrl }),
});
server.listen(Number(required('LAB_SLACK_PORT')), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, close);
