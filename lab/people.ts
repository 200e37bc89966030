/** The people of a lab: made-up persons with keys that no plan but this lab's accepts, and a workspace of their own. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { drawKey, publicLine } from '../activities/people/keys.ts';
import type { Site } from './site.ts';
import { cast, incidentChannel, type LabPerson, labPersons } from './slack/cast.ts';

export interface PeopleOptions {
  /** Of every approval; two when absent. */
  quorum?: number;
  /** How long is waited for an approval; `15m` when absent. */
  deadline?: string;
  warnBefore?: string;
  onExpiry?: 'deny' | 'proceed' | 'escalate';
  /** `allowed`: clicks without a signature count in live runs too. */
  unsigned?: 'refused' | 'allowed';
  /** How often people are told how a run stands. */
  statusEvery?: string;
}

/** Files of an estate's people; all of them its owner's alone. */
export interface PeopleFiles {
  directory: string;
  /** A person's private key. */
  key(person: LabPerson): string;
  /** The Slack gateway's private key. */
  gatewayKey: string;
  /** Of the app in the workspace: xoxb-... */
  token: string;
  /** For Socket Mode: xapp-... */
  appToken: string;
  signingSecret: string;
  /** What the gateway keeps of clicks. */
  gatewayDirectory: string;
}

export function peopleFiles(root: string): PeopleFiles {
  const directory = join(root, 'people');
  return {
    directory,
    key: (person) => join(directory, `${person}.key`),
    gatewayKey: join(directory, 'gateway.key'),
    token: join(directory, 'slack.token'),
    appToken: join(directory, 'slack.app-token'),
    signingSecret: join(directory, 'slack.signing-secret'),
    gatewayDirectory: join(directory, 'gateway'),
  };
}

/** Draws the keys of all persons and of the gateway, and the workspace's secrets. */
export async function makePeople(site: Site): Promise<void> {
  const files = peopleFiles(site.layout.root);
  await mkdir(files.gatewayDirectory, { recursive: true, mode: 0o700 });
  const keep = (file: string, text: string) => writeFile(file, text, { mode: 0o600 });
  for (const file of [...labPersons.map(files.key), files.gatewayKey])
    await keep(file, drawKey().export({ format: 'pem', type: 'pkcs8' }).toString());
  await keep(files.token, `xoxb-lab-${randomBytes(16).toString('hex')}\n`);
  await keep(files.appToken, `xapp-lab-${randomBytes(16).toString('hex')}\n`);
  await keep(files.signingSecret, `${randomBytes(16).toString('hex')}\n`);
}

/** The plan's `people`. @param slackApi address of the workspace's API, where there is one */
export async function peopleSection(
  root: string,
  options: PeopleOptions,
  slackApi: string | undefined,
): Promise<Record<string, unknown>> {
  const files = peopleFiles(root);
  const { quorum = 2, deadline = '15m', warnBefore = '5m', onExpiry = 'deny', unsigned = 'refused' } = options;
  const persons = await Promise.all(
    labPersons.map(async (id) => {
      const keys = [await publicLineOf(files.key(id))];
      return [id, { name: cast[id].name, slack: cast[id].slack, keys }] as const;
    }),
  );
  const escalateTo = onExpiry === 'escalate' ? { escalateTo: ['incident-commander'] } : {};
  return {
    persons: Object.fromEntries(persons),
    groups: { dba: ['ana', 'ben', 'cara'], 'incident-commander': ['dora'] },
    approvals: { default: { group: 'dba', quorum, deadline, warnBefore, onExpiry, ...escalateTo } },
    decisions: { group: 'dba', deadline: '8h', escalate: [{ after: '10m', group: 'incident-commander' }] },
    unsigned,
    status: {
      ...(options.statusEvery === undefined ? {} : { every: options.statusEvery }),
      ...(slackApi === undefined ? {} : { channel: `#${incidentChannel.name}` }),
    },
    ...(slackApi === undefined
      ? {}
      : {
          slack: {
            token: `\${file:${files.token}}`,
            gatewayKeys: [await publicLineOf(files.gatewayKey)],
            api: slackApi,
          },
        }),
  };
}

async function publicLineOf(file: string): Promise<string> {
  return publicLine(createPrivateKey(await readFile(file)));
}
