#!/usr/bin/env node
/**
 * lifeboat-slack: takes what people click and type in Slack to their runs, and vouches for them with its own key.
 * No run depends on it: while it is away people answer by the command line.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { pino } from 'pino';
import { publicLine } from '../activities/people/keys.ts';
import { serveMetrics } from './metrics/metrics.ts';
import { clientOptionsOf, listen, type Reached, slackApp } from './slack/app.ts';
import { boltLogger } from './slack/bolt-logger.ts';
import { Commands } from './slack/commands.ts';
import { Courier } from './slack/courier.ts';
import { deliver } from './slack/deliver.ts';
import { Journal } from './slack/journal.ts';
import { Persons } from './slack/persons.ts';
import { temporalRuns } from './slack/runs.ts';
import { type Settings, settingsOf } from './slack/settings.ts';
import { Starts } from './slack/starts.ts';
import { voice } from './slack/voice.ts';

const logger = pino({ name: 'lifeboat-slack', level: process.env.LIFEBOAT_LOG_LEVEL ?? 'info' });
const identity = `slack@${hostname()}:${process.pid}`;

/** How long what is being delivered may take once the process was told to end; the rest is delivered by the next. */
const endWithinMs = 5_000;

async function main(): Promise<void> {
  const stop = stopped();
  const settings = await settingsOf(process.env);
  const served = await serveMetrics('slack');
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  // Lazy: the gateway comes up without Temporal, and says to whoever clicks that it does not answer.
  const connection = Connection.lazy(connectionOptions);
  const runs = temporalRuns(connection, new Client({ connection, namespace, identity }));
  const persons = new Persons(settings.plans, logger);
  await warnOfForeignKey(persons, publicLine(settings.key));

  const reached: Reached = { now: false };
  const app = slackApp(settings, logger, reached);
  const client = new WebClient(settings.token, { ...clientOptionsOf(settings), logger: boltLogger(logger) });
  const speaking = voice({ client, persons, runs, logger });
  const courier = new Courier({
    journal: await Journal.open(settings.directory),
    deliver: (click) => deliver(click, { persons, runs, key: settings.key }),
    answer: (click, words) => speaking.tell(click.user, click.place, words),
    show: (click) => speaking.show(click),
    count: (outcome) => served?.metrics.count('slackClicks', { outcome }),
    logger,
  });
  served?.metrics.show(() => ({
    slackUp: [{ labels: {}, value: reached.now ? 1 : 0 }],
    slackClicksWaiting: [{ labels: {}, value: courier.waiting }],
  }));
  const starts = new Starts({ runs, persons, voice: speaking, key: settings.key, logger });
  const commands = new Commands({ runs, persons, courier, voice: speaking, starts, logger });
  listen(app, { runs, courier, commands, voice: speaking, logger });

  const left = await courier.resume();
  if (left > 0) logger.warn({ clicks: left }, 'an earlier gateway had not delivered these; they are delivered now');
  await Promise.race([startWhenThere(app, settings, reached, stop.signal), stop.done]);
  await sayReady(settings.readyFile);

  await stop.done;
  await Promise.race([Promise.all([app.stop(), courier.stop()]), wait(endWithinMs)]);
  if (settings.readyFile !== undefined) await rm(settings.readyFile, { force: true });
  await connection.close();
  await served?.close();
  logger.info('stopped');
}

/** A plan that does not know this key refuses everything that the gateway vouches for: better said now than at the first click. */
async function warnOfForeignKey(persons: Persons, key: string): Promise<void> {
  for (const { service, people } of await persons.plans()) {
    if (people?.slack === undefined)
      logger.warn({ service }, 'this plan has no people.slack: clicks from Slack will not count');
    else if (!people.slack.gatewayKeys.includes(key))
      logger.warn(
        { service, key },
        'this plan does not know the key of this gateway: add it to people.slack.gatewayKeys',
      );
  }
}

/** Slack may be away when the gateway starts, as anything may after a disaster. */
async function startWhenThere(app: App, { entrance }: Settings, reached: Reached, signal: AbortSignal): Promise<void> {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      await (entrance.kind === 'socket' ? app.start() : app.start({ host: entrance.host, port: entrance.port }));
      reached.now = true;
      logger.info({ identity, entrance: entrance.kind }, 'connected');
      return;
    } catch (error) {
      if (isFinal(error)) throw error;
      logger.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'Slack does not answer, trying again',
      );
      await wait(Math.min(15_000, 500 * 2 ** tries), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** A token that Slack does not take, or a port that is in use, will not become right by waiting. */
function isFinal(error: unknown): boolean {
  const words = error instanceof Error ? error.message : '';
  return /invalid_auth|not_allowed_token_type|missing_scope|account_inactive|token_revoked|EADDRINUSE|EACCES/.test(
    words,
  );
}

function stopped(): { done: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const done = new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.once(name, () => {
        controller.abort();
        resolve();
      });
  });
  return { done, signal: controller.signal };
}

async function sayReady(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  await writeFile(`${file}.part`, JSON.stringify({ pid: process.pid, identity }));
  await rename(`${file}.part`, file);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    logger.fatal(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
