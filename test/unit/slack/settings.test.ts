/** What the gateway refuses to start with, and that it never shows a secret. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { drawKey } from '../../../activities/people/keys.ts';
import { botScopes } from '../../../lab/slack/web-api.ts';
import { settingsOf } from '../../../workers/slack/settings.ts';

let directory: string;
let right: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'settings-'));
  const key = join(directory, 'gateway.key');
  await writeFile(key, drawKey().export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const token = join(directory, 'token');
  await writeFile(token, 'xoxb-1\n');
  right = {
    LIFEBOAT_PLANS: directory,
    LIFEBOAT_SLACK_TOKEN: `\${file:${token}}`,
    LIFEBOAT_SLACK_APP_TOKEN: `\${file:${token}}`,
    LIFEBOAT_SLACK_KEY: key,
    LIFEBOAT_SLACK_DIRECTORY: directory,
  };
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const refusal = (environment: Record<string, string | undefined>) =>
  settingsOf(environment).then(
    () => 'nothing',
    (error: Error) => error.message,
  );

test('the gateway starts with Socket Mode, or with a request URL', async () => {
  expect((await settingsOf(right)).entrance).toEqual({ kind: 'socket', appToken: 'xoxb-1' });
  const { LIFEBOAT_SLACK_APP_TOKEN: secret, ...rest } = right;
  const url = { ...rest, LIFEBOAT_SLACK_SIGNING_SECRET: secret, LIFEBOAT_SLACK_LISTEN: '127.0.0.1:3000' };
  expect((await settingsOf(url)).entrance).toEqual({
    kind: 'request-url',
    signingSecret: 'xoxb-1',
    host: '127.0.0.1',
    port: 3000,
  });
});

test('everything that is missing is said at once', async () => {
  const words = await refusal({});
  for (const name of ['TOKEN', 'APP_TOKEN', 'KEY', 'DIRECTORY'])
    expect(words).toContain(`LIFEBOAT_SLACK_${name} is not set`);
  expect(words).toContain('LIFEBOAT_PLANS is not set');
});

test.each([
  ['a token that is written out', { LIFEBOAT_SLACK_TOKEN: 'xoxb-secret-7' }, /no name of a secret/],
  ['both entrances', { LIFEBOAT_SLACK_SIGNING_SECRET: '${env:X}' }, /choose one/],
  ['a relative directory', { LIFEBOAT_SLACK_DIRECTORY: 'clicks' }, /absolute path/],
  ['an address that is none', { LIFEBOAT_SLACK_API: 'slack' }, /write an address/],
  ['a key that is not there', { LIFEBOAT_SLACK_KEY: '/nowhere/gateway.key' }, /cannot be read/],
])('%s is refused, and not repeated', async (_what, more, expected) => {
  const words = await refusal({ ...right, ...more });
  expect(words).toMatch(expected);
  expect(words).not.toContain('xoxb-secret-7');
});

test('a key that others can read is refused', async () => {
  const open = join(directory, 'open.key');
  await writeFile(open, await readFile(right.LIFEBOAT_SLACK_KEY ?? ''));
  await chmod(open, 0o644);
  expect(await refusal({ ...right, LIFEBOAT_SLACK_KEY: open })).toMatch(/can be read by others \(mode 644\)/);
});

test("the app's manifest asks for exactly the scopes that the lab's workspace grants", async () => {
  const manifest = parse(await readFile('docs/slack-manifest.yaml', 'utf8'));
  expect(manifest.oauth_config.scopes.bot.toSorted()).toEqual(botScopes.toSorted());
  expect(manifest.settings.socket_mode_enabled).toBe(true);
});
