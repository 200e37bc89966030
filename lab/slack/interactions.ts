/** What people do in the workspace, told to the app as Slack tells it, and the app's answer carried out. */
import { z } from 'zod';
import { type Button, modal, wrongWith } from './block-kit.ts';
import { app } from './cast.ts';
import { postSigned, signedRequest } from './request-url.ts';
import type { Sockets } from './sockets.ts';
import { shown, shownView } from './web-api.ts';
import { type Message, nameOf, type StoredBlock, type View, type Workspace } from './workspace.ts';

type Kind = 'interactive' | 'slash_commands';

/** Something that was told to the app; it can be told again. */
export interface Told {
  kind: Kind;
  payload: Record<string, unknown>;
  /** Absent while it waits. */
  outcome?: 'acknowledged' | 'silent';
  why?: string;
}

export interface Ways {
  sockets: Sockets;
  signingSecret: string;
  /** Where to post instead of Socket Mode. */
  requestUrl?: string | undefined;
  origin(): string;
}

// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
const acknowledgeWithinMs = 3_000;

const answers = z.object({
  response_action: z.enum(['errors', 'update', 'push', 'clear']).optional(),
  errors: z.record(z.string(), z.string()).optional(),
  view: z.unknown().optional(),
});

export class Interactions {
  readonly told: Told[] = [];
  readonly #workspace: Workspace;
  readonly ways: Ways;

  constructor(workspace: Workspace, ways: Ways) {
    this.#workspace = workspace;
    this.ways = ways;
  }

  /** @param version an earlier version of the message, for somebody whose screen has not followed */
  async click(user: string, message: Message, action: { block: string; id: string; version?: number }): Promise<void> {
    const blocks = action.version === undefined ? message.blocks : (message.earlier[action.version] ?? message.blocks);
    const button = buttonIn(blocks, action);
    if (button === undefined) throw new NotThere('this message has no such button');
    const { action_id, text, value, style, confirm } = button;
    const clicked = { action_id, block_id: action.block, text, value, style, confirm, type: 'button' };
    await this.#tell(user, message.channel, message.thread, 'interactive', {
      type: 'block_actions',
      ...this.#who(user),
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: message.channel,
        is_ephemeral: message.onlyFor !== undefined,
        ...(message.thread === undefined ? {} : { thread_ts: message.thread }),
      },
      channel: this.#channelOf(message.channel),
      ...(message.onlyFor === undefined ? { message: shown(message, true) } : {}),
      state: { values: {} },
      response_url: this.#responseUrl({
        channel: message.channel,
        user,
        ...(message.thread && { thread: message.thread }),
      }),
      actions: [{ ...clicked, action_ts: this.#workspace.nextTs() }],
    });
  }

  async submit(view: View, given: Record<string, string>): Promise<void> {
    const missing = missingIn(view, given);
    if (Object.keys(missing).length > 0) {
      view.errors = missing;
      this.#workspace.changed();
      return;
    }
    const payload = {
      type: 'view_submission',
      ...this.#who(view.user),
      view: { ...shownView(view), state: { values: valuesOf(view, given) } },
      response_urls: [],
    };
    const answer = await this.#tell(view.user, undefined, undefined, 'interactive', payload);
    if (answer !== undefined) this.#carryOut(view, answer.payload);
  }

  async command(user: string, channel: { id: string; name: string }, line: string): Promise<void> {
    const [command = '', ...words] = line.trim().split(/\s+/);
    const answer = await this.#tell(user, channel.id, undefined, 'slash_commands', {
      token: 'lab',
      team_id: app.team,
      team_domain: 'lab',
      channel_id: channel.id,
      channel_name: channel.name,
      user_id: user,
      user_name: nameOf(user),
      command,
      text: words.join(' '),
      api_app_id: app.id,
      is_enterprise_install: 'false',
      response_url: this.#responseUrl({ channel: channel.id, user }),
      trigger_id: this.#workspace.trigger(user),
    });
    const words_ = textOf(answer?.payload);
    if (words_ !== undefined) this.#tellUser(user, channel.id, undefined, words_);
  }

  /** The same again, byte for byte, as after a lost acknowledgement. */
  async again(index: number): Promise<Told> {
    const before = this.told.at(index);
    if (before === undefined) throw new NotThere('nothing was told to the app yet');
    const told: Told = { kind: before.kind, payload: before.payload };
    await this.#deliver(told).catch(() => undefined);
    return told;
  }

  async #tell(
    user: string,
    channel: string | undefined,
    thread: string | undefined,
    kind: Kind,
    payload: Record<string, unknown>,
  ): Promise<{ payload: unknown } | undefined> {
    const told: Told = { kind, payload };
    this.told.push(told);
    try {
      return await this.#deliver(told);
    } catch {
      const words = `:warning: ${app.name} did not respond (${told.why}). Try again.`;
      if (channel !== undefined) this.#tellUser(user, channel, thread, words);
      const view = [...this.#workspace.views.values()].find((one) => one.user === user);
      if (channel === undefined && view !== undefined) view.errors = { '': words };
      this.#workspace.changed();
      return undefined;
    }
  }

  async #deliver(told: Told): Promise<{ payload: unknown }> {
    try {
      const answer = await this.#send(told);
      told.outcome = 'acknowledged';
      return answer;
    } catch (error) {
      told.outcome = 'silent';
      told.why = error instanceof Error ? error.message : String(error);
      throw error;
    }
  }

  async #send({ kind, payload }: Told): Promise<{ payload: unknown }> {
    const { sockets, requestUrl, signingSecret } = this.ways;
    if (requestUrl !== undefined)
      return {
        payload: await postSigned(requestUrl, signedRequest(signingSecret, payload, kind), acknowledgeWithinMs),
      };
    const answer = await sockets.send(kind, payload, acknowledgeWithinMs);
    if (answer === undefined) throw new Error('it is not connected');
    return answer;
  }

  #carryOut(view: View, payload: unknown): void {
    const read = answers.safeParse(payload ?? {});
    const action = read.data?.response_action;
    if (action === 'errors') {
      view.errors = read.data?.errors ?? {};
      this.#workspace.changed();
      return;
    }
    if (action !== 'update' && action !== 'push') {
      this.#workspace.close(view);
      return;
    }
    const next = modal.safeParse(read.data?.view);
    if (next.success) {
      this.#workspace.replace(view, next.data);
      return;
    }
    view.errors = { '': `The app's dialog cannot be shown: ${wrongWith(next.error, 'view').join(' ')}` };
    this.#workspace.changed();
  }

  #who(user: string): Record<string, unknown> {
    return {
      user: { id: user, username: nameOf(user), name: nameOf(user), team_id: app.team },
      api_app_id: app.id,
      token: 'lab',
      team: { id: app.team, domain: 'lab' },
      enterprise: null,
      is_enterprise_install: false,
      trigger_id: this.#workspace.trigger(user),
    };
  }

  #channelOf(id: string): { id: string; name: string } {
    return { id, name: this.#workspace.channel(id)?.name ?? 'directmessage' };
  }

  #responseUrl(to: Parameters<Workspace['responseUrl']>[0]): string {
    return `${this.ways.origin()}/hooks/${this.#workspace.responseUrl(to)}`;
  }

  #tellUser(user: string, channel: string, thread: string | undefined, text: string): void {
    this.#workspace.post({ channel, user: app.user, text, onlyFor: user, ...(thread === undefined ? {} : { thread }) });
  }
}

/** Somebody asked for what is not there. */
export class NotThere extends Error {}

function buttonIn(blocks: StoredBlock[], { block, id }: { block: string; id: string }): Button | undefined {
  const found = blocks.find(({ block_id }) => block_id === block);
  if (found?.type !== 'actions') return undefined;
  return found.elements.find((element): element is Button => element.type === 'button' && element.action_id === id);
}

/** As Slack's own dialog does before it asks the app. */
function missingIn({ blocks }: View, given: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    blocks.flatMap((block) => {
      if (block.type !== 'input' || block.optional === true) return [];
      return (given[block.block_id] ?? '') === '' ? [[block.block_id, 'Please complete this required field.']] : [];
    }),
  );
}

function valuesOf({ blocks }: View, given: Record<string, string>): Record<string, Record<string, unknown>> {
  const values: Record<string, Record<string, unknown>> = {};
  for (const block of blocks) {
    if (block.type !== 'input') continue;
    const { element, block_id: name } = block;
    const value = given[name] ?? '';
    values[name] = {
      [element.action_id]:
        element.type === 'plain_text_input'
          ? { type: element.type, value: value === '' ? null : value }
          : { type: element.type, selected_option: element.options.find((option) => option.value === value) ?? null },
    };
  }
  return values;
}

function textOf(payload: unknown): string | undefined {
  if (typeof payload === 'string') return payload;
  if (typeof payload !== 'object' || payload === null || !('text' in payload)) return undefined;
  return typeof payload.text === 'string' ? payload.text : undefined;
}
