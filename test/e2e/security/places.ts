/** Everywhere that something of an estate's runs can be read. */
import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import type { Estate } from '../../../lab/estate.ts';
import type { Scenario } from '../drill/scenario.ts';
import { bytesWithin, filesOf, type Places } from './leaks.ts';

type Said = [place: string, what: Buffer];

/** @param runs whose pages are looked at */
export async function placesOf({ estate, client }: Scenario, runs: readonly string[]): Promise<Places> {
  const { layout } = estate.site;
  return new Map([
    ...(await pages(estate, runs)),
    ...(await histories(client)),
    ...(await metrics(estate)),
    ...(await filesOf(layout.logs, 'log')),
    ...(await filesOf(layout.host('db1').backrest, 'log of pgBackRest on db1')),
    ...(await filesOf(layout.host('db2').backrest, 'log of pgBackRest on db2')),
    ...(await filesOf(dirname(layout.engineFile), 'Temporal')),
    ...(await filesOf(layout.evidence, 'evidence in the directory')),
    ...(await filesOf(layout.store, 'store')),
    ...(await filesOf(layout.pulse, 'pulse')),
    ...(await filesOf(layout.ready, 'ready')),
  ]);
}

/** What each command prints at a terminal, wordy as it can be. */
export async function terminal(estate: Estate, commands: readonly (readonly string[])[]): Promise<Said[]> {
  const main = join(process.cwd(), 'dist/cli/main.js');
  const printed: Said[] = [];
  for (const words of commands) {
    const { all } = await execa(process.execPath, [main, ...words], {
      env: { ...estate.env, LIFEBOAT_LOG_LEVEL: 'trace' },
      all: true,
      reject: false,
      timeout: 120_000,
    });
    printed.push([`terminal: ${words.join(' ')}`, Buffer.from(all ?? '')]);
  }
  return printed;
}

/** What Temporal holds of every workflow: payloads as their bytes, and the live page. */
async function histories(client: Client): Promise<Said[]> {
  const found: Said[] = [];
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const history = await handle.fetchHistory();
    const page = await handle.query('__temporal_workflow_metadata').catch(() => undefined);
    found.push([`history: ${type} ${workflowId}`, Buffer.concat([bytesWithin(history), bytesWithin(page)])]);
  }
  return found;
}

async function pages({ pagesUrl }: Estate, runs: readonly string[]): Promise<Said[]> {
  const paths = [
    '/',
    ...runs.flatMap((run) => ['', '.json', '.md'].map((form) => `/runs/${encodeURIComponent(run)}${form}`)),
  ];
  return Promise.all(
    paths.map(async (path): Promise<Said> => {
      const answer = await fetch(`${pagesUrl}${path}`);
      return [
        `page: ${path}`,
        Buffer.concat([bytesWithin([...answer.headers]), Buffer.from(await answer.arrayBuffer())]),
      ];
    }),
  );
}

async function metrics({ metricsUrls }: Estate): Promise<Said[]> {
  return Promise.all(
    Object.entries(metricsUrls).map(
      async ([name, url]): Promise<Said> => [`metrics: ${name}`, Buffer.from(await (await fetch(url)).arrayBuffer())],
    ),
  );
}
