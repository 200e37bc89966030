/** What the gateway is told by its environment. All that is wrong is said at once. */
import type { KeyObject } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { readPrivateKey } from '../../activities/people/keys.ts';
import { resolveSecret } from '../../activities/secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How Slack's messages come in. */
export type Entrance =
  /** A socket that the gateway opens: nothing has to reach it from outside. */
  | { kind: 'socket'; appToken: string }
  /** An address that Slack posts to. */
  | { kind: 'request-url'; signingSecret: string; host: string; port: number };

export interface Settings {
  token: string;
  entrance: Entrance;
  /** What the gateway signs with. */
  key: KeyObject;
  /** Where clicks are kept. */
  directory: string;
  /** Slack's own when absent. */
  api?: string;
  plans: string;
  readyFile?: string;
}

/** @throws Error naming everything that has to be set, and how */
export async function settingsOf(environment: Environment): Promise<Settings> {
  const problems: string[] = [];
  const noted = async <T>(work: () => Promise<T> | T): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  const needed = (name: string, what: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set: ${what}`);
    return value;
  };
  const token = await noted(() => secret('LIFEBOAT_SLACK_TOKEN', needed('LIFEBOAT_SLACK_TOKEN', tokenHint)));
  const entrance = await noted(() => entranceOf(environment));
  const key = await noted(() =>
    readPrivateKey(needed('LIFEBOAT_SLACK_KEY', "the file of the gateway's private key, from lifeboat keys create")),
  );
  const directory = await noted(() => directoryOf(needed('LIFEBOAT_SLACK_DIRECTORY', directoryHint)));
  const plans = await noted(() => needed('LIFEBOAT_PLANS', 'a folder of plans, or files separated by ":"'));
  const api = await noted(() => apiOf(environment.LIFEBOAT_SLACK_API));
  if (!token || !entrance || !key || !directory || !plans || problems.length > 0)
    throw new Error(`lifeboat-slack cannot start:\n${problems.map((one) => `- ${one}`).join('\n')}`);
  const readyFile = environment.LIFEBOAT_READY_FILE;
  return { token, entrance, key, directory, plans, ...(api && { api }), ...(readyFile && { readyFile }) };
}

const tokenHint = "the app's bot token (xoxb-...), named like a secret of a plan: ${file:/etc/lifeboat/slack.token}";
const directoryHint =
  'a directory of its own where clicks are kept until they are answered, such as /var/lib/lifeboat/slack';

/** @throws SecretMissing; what the variable holds is never shown */
function secret(variable: string, name: string): Promise<string> {
  if (name.startsWith('${')) return resolveSecret(name);
  throw new Error(`${variable} holds something that is no name of a secret: write \${file:/path} or \${env:NAME}`);
}

async function entranceOf(environment: Environment): Promise<Entrance> {
  const app = environment.LIFEBOAT_SLACK_APP_TOKEN || undefined;
  const signing = environment.LIFEBOAT_SLACK_SIGNING_SECRET || undefined;
  if (app !== undefined && signing !== undefined)
    throw new Error(
      'LIFEBOAT_SLACK_APP_TOKEN (Socket Mode) and LIFEBOAT_SLACK_SIGNING_SECRET (request URL) are both set: choose one',
    );
  if (app !== undefined) return { kind: 'socket', appToken: await secret('LIFEBOAT_SLACK_APP_TOKEN', app) };
  if (signing === undefined)
    throw new Error(
      'LIFEBOAT_SLACK_APP_TOKEN is not set: the app-level token (xapp-...) for Socket Mode, as ${file:/path}; or LIFEBOAT_SLACK_SIGNING_SECRET and LIFEBOAT_SLACK_LISTEN for a request URL',
    );
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(environment.LIFEBOAT_SLACK_LISTEN ?? '') ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw new Error("LIFEBOAT_SLACK_LISTEN is not set: where Slack's requests arrive, host:port such as 0.0.0.0:3000");
  return {
    kind: 'request-url',
    signingSecret: await secret('LIFEBOAT_SLACK_SIGNING_SECRET', signing),
    host,
    port: Number(port),
  };
}

function directoryOf(path: string): string {
  if (isAbsolute(path)) return path;
  throw new Error(`LIFEBOAT_SLACK_DIRECTORY is "${path}": write an absolute path`);
}

function apiOf(address: string | undefined): string | undefined {
  if (address === undefined || address === '') return undefined;
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol))
    return address.endsWith('/') ? address : `${address}/`;
  throw new Error(
    `LIFEBOAT_SLACK_API is "${address}": write an address such as http://127.0.0.1:4000/api/, or leave it unset`,
  );
}
