/** Tells people: by Slack, or else by a webhook, or else nobody, which is said too. It never fails, and never waits for long. */
import { ApplicationFailure } from '@temporalio/common';
import type { ControlRecords, Message, Posted } from '../contract.ts';
import { currentActivity } from '../current-activity.ts';
import { withoutSecrets } from '../evidence/secrets-removed.ts';
import { resolveSecret } from '../secrets.ts';
import { SlackAway, toSlack } from './slack.ts';
import { toWebhook } from './webhook.ts';

type Ask = Parameters<ControlRecords['post']>[0];

/**
 * Delivers one message, once: whoever tries again looks first whether it is there.
 *
 * @see docs/status-updates.md
 */
export async function post(ask: Ask): Promise<Posted> {
  const { slack, webhook } = ask.outlets;
  const tried: string[] = [];
  let left: Partial<Posted> = {};
  if (slack !== undefined) {
    try {
      const token = await resolveSecret(slack.token);
      return await toSlack({
        ...ask,
        message: clean(ask.message, [token]),
        slack: { ...slack, token },
        again: isAgain(),
      });
    } catch (error) {
      tried.push(`Slack: ${wordsOf(error)}`);
      if (error instanceof SlackAway) left = error.left;
    }
  }
  if (webhook !== undefined && ask.slackOnly === undefined) {
    try {
      const url = await resolveSecret(webhook);
      await toWebhook(url, { ...ask, message: clean(ask.message, [url]) });
      return { ...left, ...whyOf(tried), delivered: 'webhook', found: 'told by the webhook' };
    } catch (error) {
      tried.push(`webhook: ${wordsOf(error)}`);
    }
  }
  return { ...left, ...whyOf(tried), delivered: 'nowhere', found: 'nobody could be told' };
}

/** An attempt before this one may have come as far as the message and no further. */
function isAgain(): boolean {
  return (currentActivity()?.info.attempt ?? 1) > 1;
}

function whyOf(tried: string[]): { why?: string } {
  return tried.length === 0 ? {} : { why: tried.join('; ') };
}

function wordsOf(error: unknown): string {
  if (error instanceof SlackAway || error instanceof ApplicationFailure) return error.message;
  return error instanceof Error ? error.name : 'failed';
}

/** Messages are made of what tools have said, too. */
function clean(message: Message, secrets: string[]): Message {
  return withoutSecrets(message, secrets).clean;
}
