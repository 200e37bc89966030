/** A run on Slack: one thread, each message once, its buttons gone when they no longer count. */
import type { KnownBlock } from '@slack/types';
import { WebAPIPlatformError } from '@slack/web-api';
import { formatNumberOf } from '../../evidence/format.ts';
import type { Place } from '../../evidence/people.ts';
import type { ControlRecords, Message, Posted } from '../contract.ts';
import { blocksOf } from './blocks.ts';
import { SlackAway, SlackLine, SlackRefusal, StrangeAnswer } from './slack-line.ts';
import { keyOf, slackText } from './text.ts';

export { SlackAway } from './slack-line.ts';

type Ask = Parameters<ControlRecords['post']>[0];

interface SlackAsk extends Ask {
  /** With the token itself. */
  slack: { token: string; api?: string; channel: string };
  /** Another attempt of the activity came before. */
  again: boolean;
}

/** How Lifeboat's messages are told from others, and from each other. */
const postEvent = 'lifeboat_post';

/** @throws SlackAway Slack does not take it in time, or refuses */
export async function toSlack(ask: SlackAsk): Promise<Posted> {
  const line = new SlackLine(ask.slack, ask.slackWithinMs);
  const thread = new Thread(ask, line);
  try {
    await line.rest(ask.restUntil);
    const place = await thread.tell();
    return { ...thread.state, delivered: 'slack', place, found: 'told on Slack' };
  } catch (error) {
    if (error instanceof SlackRefusal) throw new SlackAway(error.message, thread.state);
    if (error instanceof SlackAway) throw new SlackAway(error.message, { ...error.left, ...thread.state });
    throw error;
  }
}

/** What is sent: text for where no blocks are shown, and the key by which it is found again. */
interface Sent {
  key: string;
  text: string;
  blocks: KnownBlock[];
}

class Thread {
  readonly #ask: SlackAsk;
  readonly #line: SlackLine;
  readonly #mayBeThere: boolean;
  #head: Place | undefined;
  #toldMissed = false;

  constructor(ask: SlackAsk, line: SlackLine) {
    this.#ask = ask;
    this.#line = line;
    this.#mayBeThere = ask.again || ask.mayBeThere;
    this.#head = ask.thread;
  }

  /** What is known of the thread by now, whatever becomes of the message. */
  get state(): Pick<Posted, 'thread' | 'toldMissed'> {
    return {
      ...(this.#head === undefined ? {} : { thread: this.#head }),
      ...(this.#toldMissed ? { toldMissed: true as const } : {}),
    };
  }

  async tell(): Promise<Place> {
    const { run, message, closes } = this.#ask;
    this.#head ??= await this.#begin();
    if (message.id === headId) return this.#head;
    await this.#tellMissed(this.#head);
    const sent = this.#sent(keyOf(run, message.id), message);
    if (closes === undefined) return this.#put(sent, this.#head);
    await this.#replace(closes, sent);
    return this.#put(
      { ...sent, blocks: blocksOf(run, { ...message, approval: undefined, decision: undefined }) },
      this.#head,
    );
  }

  /** Slack tells people of a new message, not of a changed one: the outcome is posted besides. */
  async #replace(old: Place, { text, blocks }: Sent): Promise<void> {
    const update = () => this.#line.client.chat.update({ channel: old.channel, ts: old.ts, text, blocks });
    try {
      await this.#line.repeat(update);
    } catch (error) {
      // Deleted by somebody, or too old to be changed: its buttons are answered by the run itself.
      if (!(error instanceof SlackRefusal)) throw error;
    }
  }

  /** Whether or not the run's first message has been told before: the thread hangs below it. */
  async #begin(): Promise<Place> {
    const { run, message, head } = this.#ask;
    const first =
      message.id === headId ? message : { ...message, ...head, slackIds: {}, approval: undefined, decision: undefined };
    return this.#put(this.#sent(keyOf(run, headId), first), undefined);
  }

  async #tellMissed(head: Place): Promise<void> {
    const { missed, run, message } = this.#ask;
    if (missed.length === 0) return;
    // Some may have come although Slack did not say so.
    const there = await this.#line.repeat(() => this.#keysIn(head));
    const really = missed.filter(({ id }) => !there.has(keyOf(run, id)));
    if (really.length > 0) {
      const headline = `${formatNumberOf(really.length, 'message')} could not be posted here meanwhile`;
      const lines = really.slice(-mostMissed).map((one, index) => ({ label: String(index + 1), text: one.headline }));
      const text = slackText({ headline, lines });
      await this.#put({ key: keyOf(run, `${message.id}/missed`), text, blocks: [] }, head);
    }
    this.#toldMissed = true;
  }

  #sent(key: string, message: Message): Sent {
    const { run } = this.#ask;
    return { key, text: slackText(message), blocks: blocksOf(run, message) };
  }

  /** @param head absent for the head itself */
  async #put(sent: Sent, head: Place | undefined): Promise<Place> {
    const look = async () => (await this.#keysIn(head)).get(sent.key);
    try {
      return await this.#line.once(() => this.#send(sent, head), look, this.#mayBeThere);
    } catch (error) {
      if (!(error instanceof SlackRefusal && sent.blocks.length > 0 && aboutBlocks(error))) throw error;
      // Without its buttons it still says what to do: a message in plain words is better than none.
      return this.#line.once(() => this.#send({ ...sent, blocks: [] }, head), look, false);
    }
  }

  async #send({ key, text, blocks }: Sent, head: Place | undefined): Promise<Place> {
    const { slack } = this.#ask;
    const { channel, ts } = await this.#line.client.chat.postMessage({
      channel: head?.channel ?? slack.channel,
      text,
      ...(blocks.length === 0 ? {} : { blocks }),
      ...(head === undefined ? {} : { thread_ts: head.ts }),
      metadata: { event_type: postEvent, event_payload: { key } },
      unfurl_links: false,
      unfurl_media: false,
    });
    if (typeof channel !== 'string' || typeof ts !== 'string') throw new StrangeAnswer();
    return { channel, ts };
  }

  /** Lifeboat's messages in the thread, or at the top of the channel; by their keys. */
  async #keysIn(head: Place | undefined): Promise<Map<string, Place>> {
    const keys = new Map<string, Place>();
    const channel = head?.channel ?? (await this.#channelId());
    if (channel === undefined) return keys;
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const ask = { channel, limit: 200, include_all_metadata: true, ...(cursor === undefined ? {} : { cursor }) };
      const { conversations } = this.#line.client;
      const answer = await this.#allowed(() =>
        head === undefined
          ? conversations.history({ ...ask, oldest: String(Date.parse(this.#ask.run.startedAt) / 1_000 - lookBackS) })
          : conversations.replies({ ...ask, ts: head.ts }),
      );
      if (answer === undefined) return keys;
      if (!Array.isArray(answer.messages)) throw new StrangeAnswer();
      for (const { ts, metadata } of answer.messages) {
        const key = metadata?.event_type === postEvent ? fieldIn(metadata.event_payload, 'key') : undefined;
        if (ts !== undefined && key !== undefined) keys.set(key, { channel, ts });
      }
      cursor = answer.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === '') return keys;
    }
    return keys;
  }

  /** Looking needs the channel's id; a plan may name it by its name. */
  async #channelId(): Promise<string | undefined> {
    const { channel } = this.#ask.slack;
    if (!channel.startsWith('#')) return channel;
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const answer = await this.#allowed(() =>
        this.#line.client.conversations.list({
          limit: 200,
          exclude_archived: true,
          types: 'public_channel,private_channel',
          ...(cursor === undefined ? {} : { cursor }),
        }),
      );
      const found = answer?.channels?.find((one) => one.name === channel.slice(1))?.id;
      cursor = answer?.response_metadata?.next_cursor;
      if (found !== undefined || cursor === undefined || cursor === '') return found;
    }
    return undefined;
  }

  /** Where the token does not allow to look, nothing is found: rather told twice than not at all. */
  async #allowed<T>(look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (error) {
      const said = error instanceof WebAPIPlatformError ? error.data.error : undefined;
      if (typeof said === 'string' && notAllowed.includes(said)) return undefined;
      throw error;
    }
  }
}

/** The run's first message, below which all others stand. */
const headId = 'start';
const mostPages = 10;
/** Of messages that are told afterwards, the newest. */
const mostMissed = 20;
/** Seconds before the run's start, as it knows it: clocks differ, and a reset begins anew. */
const lookBackS = 24 * 3_600;

const notAllowed = [
  'missing_scope',
  'unknown_method',
  'not_in_channel',
  'channel_not_found',
  'thread_not_found',
  'message_not_found',
];

function aboutBlocks({ code }: SlackRefusal): boolean {
  return code.startsWith('invalid_blocks') || code === 'msg_blocks_too_long' || code === 'msg_too_long';
}

function fieldIn(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  const field: unknown = value[name as keyof typeof value];
  return typeof field === 'string' ? field : undefined;
}
