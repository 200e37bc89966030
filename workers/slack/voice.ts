/** What the gateway says in Slack: an answer to one person, and to all what a click has changed. */
import type { KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Logger } from 'pino';
import { approvalBlocks, decisionBlocks } from '../../activities/notify/slack-blocks.ts';
import { limits, plain } from '../../activities/notify/slack-text.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Place, SlackClick } from './click.ts';
import { type Persons, slackIdsOf } from './persons.ts';
import type { Runs } from './runs.ts';

export interface Voice {
  /** To one person alone; without formatting, whatever is in the words. Never throws. */
  tell(user: string, place: Place, words: string): Promise<void>;
  /** Brings the message with the buttons up to date. Never throws. */
  show(click: SlackClick): Promise<void>;
}

interface VoiceOptions {
  client: WebClient;
  persons: Persons;
  runs: Runs;
  logger: Logger;
}

// A run may change again and again while it is shown; it tells its changes itself, too.
const mostLooks = 5;

export function voice({ client, persons, runs, logger }: VoiceOptions): Voice {
  return {
    tell: async (user, { channel, thread }, words) => {
      const said = { text: escaped(words), blocks: [{ type: 'section' as const, text: plain(words, limits.section) }] };
      try {
        await client.chat.postEphemeral({ channel, user, ...(thread && { thread_ts: thread }), ...said });
      } catch (error) {
        logger.warn({ channel, user, error: wordsOf(error) }, 'not told in the channel, trying a direct message');
        await client.chat.postMessage({ channel: user, ...said }).catch((again: unknown) => {
          logger.error({ user, words, error: wordsOf(again) }, 'this person could not be told');
        });
      }
    },
    show: async (click) => {
      const { message, channel } = click.place;
      if (message === undefined || click.meaning.kind === 'abort') return;
      const { about, code } = click.meaning;
      try {
        let before = '';
        for (let look = 0; look < mostLooks; look += 1) {
          const now = await shownOf(click.run, { about, code }, { persons, runs });
          // What was read before may have been overtaken while it was being written: what is closed must not come back with buttons.
          if (now === undefined || JSON.stringify(now) === before) return;
          await client.chat.update({ channel, ts: message, ...now });
          before = JSON.stringify(now);
        }
      } catch (error) {
        logger.warn(
          { run: click.run, error: wordsOf(error) },
          'the message was not brought up to date; the run does so itself',
        );
      }
    },
  };
}

interface Shown {
  text: string;
  blocks: KnownBlock[];
}

/** Of exactly the question that the message asked: a later one about the same step has a message of its own, with its own buttons. */
async function shownOf(
  run: string,
  { about, code }: { about: string; code: string },
  { persons, runs }: Pick<VoiceOptions, 'persons' | 'runs'>,
): Promise<Shown | undefined> {
  const evidence = await runs.evidence(run);
  if (evidence === undefined) return undefined;
  const around = await aroundOf(evidence, persons);
  const approval = evidence.approvals?.find((one) => one.id === about && one.code === code);
  if (approval !== undefined)
    return {
      text: escaped(`${approval.name}: ${approval.outcome ?? 'waits'}`),
      blocks: approvalBlocks(evidence, approval, around),
    };
  const decision = evidence.decisions?.find((one) => one.step === about && one.code === code);
  if (decision === undefined) return undefined;
  return {
    text: escaped(`${decision.name}: ${decision.action ?? 'waits'}`),
    blocks: decisionBlocks(evidence, decision, around),
  };
}

export async function aroundOf(
  evidence: Evidence,
  persons: Persons,
): Promise<{ slackIds?: Record<string, string>; page?: string }> {
  const plan = await persons.planOf(evidence.service);
  if (plan === undefined) return {};
  return {
    slackIds: slackIdsOf(plan),
    ...(plan.pages === undefined
      ? {}
      : { page: `${plan.pages.replace(/\/+$/, '')}/runs/${encodeURIComponent(evidence.run)}` }),
  };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** For the line that notifications show. */
function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character] ?? '');
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
