/** The way to people that is left when Slack is not: an address that takes JSON. Its shape is written down in docs/status-updates.md. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ControlRecords } from '../contract.ts';
import { failure } from '../failure.ts';
import { networkWords } from './network.ts';
import { keyOf, plainText } from './text.ts';

type Ask = Parameters<ControlRecords['post']>[0];

/** Milliseconds for one request; and between two. */
const withinMs = 5_000;
const pauseMs = 500;
const attempts = 2;

/** `Idempotency-Key` is the same in each attempt: only whoever takes it can tell whether it came before. */
export async function toWebhook(url: string, ask: Pick<Ask, 'run' | 'message'>): Promise<void> {
  const body = JSON.stringify(payloadOf(ask));
  for (let attempt = 1; ; attempt += 1) {
    const wrong = await tried(url, keyOf(ask.run, ask.message.id), body);
    if (wrong === undefined) return;
    if (!wrong.mayPass || attempt === attempts) throw failure('Refused', wrong.why);
    await pause(pauseMs);
  }
}

/** As it is documented. `text` is what Slack, Mattermost and Rocket.Chat show of a webhook that takes their form. */
function payloadOf({ run, message }: Pick<Ask, 'run' | 'message'>) {
  return {
    schema: 'lifeboat.post/1',
    key: keyOf(run, message.id),
    service: run.service,
    run: run.run,
    runbook: run.runbook,
    mode: run.mode,
    outcome: run.outcome,
    kind: message.kind,
    headline: message.headline,
    lines: message.lines,
    ...(message.url === undefined ? {} : { url: message.url }),
    text: plainText(message),
  };
}

/** What was wrong. The address is a secret: no error text of the library, which may hold it, is passed on. */
async function tried(url: string, key: string, body: string): Promise<{ why: string; mayPass: boolean } | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(withinMs),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    return { why: `it answered ${response.status}`, mayPass: response.status >= 500 || response.status === 429 };
  } catch (error) {
    return { why: networkWords(error, withinMs), mayPass: true };
  }
}
