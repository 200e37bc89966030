import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clientEnvironment } from './lifeboat.ts';
import { peopleFiles } from './people.ts';
import { launch, type Site } from './site.ts';

function slackUrl(site: Site): string {
  return `http://127.0.0.1:${site.ports.slack.number}`;
}

export function slackApi(site: Site): string {
  return `${slackUrl(site)}/api/`;
}

/** The lab's workspace, in which people talk and click. */
export async function startWorkspace(site: Site): Promise<void> {
  const files = peopleFiles(site.layout.root);
  await launch(site, {
    name: 'slack',
    command: site.home.node,
    args: [site.home.program('lab/slack.js')],
    env: {
      LAB_SLACK_PORT: String(site.ports.slack.number),
      LAB_SLACK_TOKEN_FILE: files.token,
      LAB_SLACK_APP_TOKEN_FILE: files.appToken,
      LAB_SLACK_SECRET_FILE: files.signingSecret,
    },
    ports: [site.ports.slack],
    ready: async () => (await fetch(slackUrl(site))).ok,
  });
}

/** Lifeboat's gateway to it. */
export async function startGateway(site: Site): Promise<void> {
  const files = peopleFiles(site.layout.root);
  const readyFile = join(site.layout.ready, 'slack-gateway.json');
  await rm(readyFile, { force: true });
  await launch(site, {
    name: 'slack-gateway',
    command: site.home.node,
    args: [site.home.program('workers/slack.js')],
    env: {
      ...clientEnvironment(site),
      LIFEBOAT_SLACK_TOKEN: `\${file:${files.token}}`,
      LIFEBOAT_SLACK_APP_TOKEN: `\${file:${files.appToken}}`,
      LIFEBOAT_SLACK_KEY: files.gatewayKey,
      LIFEBOAT_SLACK_DIRECTORY: files.gatewayDirectory,
      LIFEBOAT_SLACK_API: slackApi(site),
      LIFEBOAT_READY_FILE: readyFile,
    },
    readyWithinMs: 60_000,
    // A file that an earlier gateway left behind says nothing of this one.
    ready: async () => JSON.parse(await readFile(readyFile, 'utf8')).pid === site.processes.get('slack-gateway')?.pid,
  });
}
