/** The part of Slack's Web API that Lifeboat uses. Answers and errors have Slack's names. https://docs.slack.dev/reference/methods */
import { z } from 'zod';
import { type Block, type Modal, messageBlocks, modal, wrongWith } from './block-kit.ts';
import { app } from './cast.ts';
import { channels, type Message, members, type View, type Workspace } from './workspace.ts';

export type Answer = { ok: boolean } & Record<string, unknown>;
export type Arguments = Record<string, unknown>;

/** What the app is allowed, exactly as its manifest asks for it. */
export const botScopes = [
  'channels:history',
  'channels:read',
  'chat:write',
  'commands',
  'groups:history',
  'groups:read',
] as const;
const appScopes = ['connections:write'] as const;

export interface Tokens {
  bot: string;
  app: string;
}

interface Method {
  /** One of them is needed; none at all when empty. */
  scopes: readonly string[];
  token: 'bot' | 'app';
  answer(workspace: Workspace, args: Arguments, surroundings: Surroundings): Answer;
}

export interface Surroundings {
  /** Where this workspace is reached. */
  origin: string;
  /** Address for a new socket. */
  socketUrl(): string;
}

export function call(
  workspace: Workspace,
  name: string,
  { args, token, tokens, surroundings }: { args: Arguments; token: string; tokens: Tokens; surroundings: Surroundings },
): Answer {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return no('unknown_method', { req_method: name });
  if (token === '') return no('not_authed');
  const has = token === tokens.bot ? 'bot' : token === tokens.app ? 'app' : undefined;
  if (has === undefined) return no('invalid_auth');
  if (has !== method.token) return no('not_allowed_token_type');
  const provided: readonly string[] = has === 'bot' ? botScopes : appScopes;
  if (method.scopes.length > 0 && !method.scopes.some((scope) => provided.includes(scope)))
    return no('missing_scope', { needed: method.scopes.join(','), provided: provided.join(',') });
  return method.answer(workspace, args, surroundings);
}

const history = ['channels:history', 'groups:history'];

const methods: Record<string, Method> = {
  'auth.test': { scopes: [], token: 'bot', answer: authTest },
  'apps.connections.open': {
    scopes: ['connections:write'],
    token: 'app',
    answer: (_workspace, _args, { socketUrl }) => ({ ok: true, url: socketUrl() }),
  },
  'chat.postMessage': { scopes: ['chat:write'], token: 'bot', answer: postMessage },
  'chat.update': { scopes: ['chat:write'], token: 'bot', answer: update },
  'chat.postEphemeral': { scopes: ['chat:write'], token: 'bot', answer: postEphemeral },
  'chat.getPermalink': { scopes: [], token: 'bot', answer: permalink },
  'conversations.history': { scopes: history, token: 'bot', answer: conversationsHistory },
  'conversations.list': { scopes: ['channels:read', 'groups:read'], token: 'bot', answer: conversationsList },
  'conversations.replies': { scopes: history, token: 'bot', answer: replies },
  'users.info': { scopes: ['users:read'], token: 'bot', answer: usersInfo },
  'views.open': { scopes: [], token: 'bot', answer: viewsOpen },
  'views.update': { scopes: [], token: 'bot', answer: viewsUpdate },
};

const text = z.string();
const metadata = z.strictObject({
  event_type: z.string().min(1).max(255),
  event_payload: z.record(z.string(), z.unknown()),
});

const postArguments = z.object({
  channel: text,
  // Slack cuts longer texts; what has blocks needs a text for the notification alone.
  text: text.max(40_000, 'msg_too_long').optional(),
  thread_ts: text.optional(),
  metadata: metadata.optional(),
});

function authTest(_workspace: Workspace, _args: Arguments, { origin }: Surroundings): Answer {
  const { name, team, user, bot, id } = app;
  return {
    ok: true,
    url: `${origin}/`,
    team: 'Lab',
    user: name,
    team_id: team,
    user_id: user,
    bot_id: bot,
    app_id: id,
  };
}

function postMessage(workspace: Workspace, args: Arguments): Answer {
  const read = content(args);
  if ('error' in read) return read.error;
  const channel = workspace.channel(read.post.channel);
  if (channel === undefined) return no('channel_not_found');
  const { thread_ts: thread } = read.post;
  if (thread !== undefined && workspace.find(channel.id, thread) === undefined) return no('thread_not_found');
  const message = workspace.post({
    channel: channel.id,
    user: app.user,
    text: read.post.text ?? '',
    blocks: read.blocks,
    ...(thread === undefined ? {} : { thread }),
    ...(read.post.metadata === undefined ? {} : { metadata: read.post.metadata }),
  });
  return { ok: true, channel: channel.id, ts: message.ts, message: shown(message, true) };
}

function postEphemeral(workspace: Workspace, args: Arguments): Answer {
  const read = content(args);
  if ('error' in read) return read.error;
  const channel = workspace.channel(read.post.channel);
  if (channel === undefined) return no('channel_not_found');
  const user = members.find(({ id }) => id === args.user)?.id;
  if (user === undefined) return no('user_not_in_channel');
  const message = workspace.post({
    channel: channel.id,
    user: app.user,
    text: read.post.text ?? '',
    blocks: read.blocks,
    onlyFor: user,
    ...(read.post.thread_ts === undefined ? {} : { thread: read.post.thread_ts }),
  });
  return { ok: true, message_ts: message.ts };
}

function update(workspace: Workspace, args: Arguments): Answer {
  const read = content(args);
  if ('error' in read) return read.error;
  const message = typeof args.ts === 'string' ? workspace.find(read.post.channel, args.ts) : undefined;
  if (message === undefined || message.onlyFor !== undefined) return no('message_not_found');
  if (message.user !== app.user) return no('cant_update_message');
  workspace.update(message, read.post.text ?? message.text, read.blocks);
  if (read.post.metadata !== undefined) message.metadata = read.post.metadata;
  return { ok: true, channel: message.channel, ts: message.ts, text: message.text, message: shown(message, true) };
}

function permalink(workspace: Workspace, args: Arguments, { origin }: Surroundings): Answer {
  const message = workspace.find(String(args.channel), String(args.message_ts));
  if (message === undefined) return no('message_not_found');
  const { channel, ts } = message;
  return { ok: true, channel, permalink: `${origin}/?channel=${channel}#m${ts}` };
}

function conversationsHistory(workspace: Workspace, args: Arguments): Answer {
  const channel = workspace.channel(String(args.channel));
  if (channel === undefined || channel.id !== args.channel) return no('channel_not_found');
  return listed(workspace.history(channel.id).reverse(), args);
}

function conversationsList(): Answer {
  const listed = channels.map(({ id, name }) => ({ id, name, is_channel: true, is_member: true, is_archived: false }));
  return { ok: true, channels: listed, response_metadata: { next_cursor: '' } };
}

function replies(workspace: Workspace, args: Arguments): Answer {
  const thread = workspace.find(String(args.channel), String(args.ts));
  if (thread === undefined) return no('thread_not_found');
  return listed(workspace.history(thread.channel, thread.ts), args);
}

function listed(messages: Message[], args: Arguments): Answer {
  const limit = Math.min(Number(args.limit ?? 100) || 100, 999);
  const from = Number(args.cursor ?? 0) || 0;
  const withMetadata = args.include_all_metadata === true || args.include_all_metadata === 'true';
  const oldest = Number(args.oldest ?? 0);
  const found = messages.filter(({ ts }) => Number(ts) > oldest);
  const more = found.length > from + limit;
  return {
    ok: true,
    messages: found.slice(from, from + limit).map((one) => shown(one, withMetadata)),
    has_more: more,
    response_metadata: { next_cursor: more ? String(from + limit) : '' },
  };
}

function usersInfo(_workspace: Workspace, args: Arguments): Answer {
  const member = members.find(({ id }) => id === args.user);
  if (member === undefined) return no('user_not_found');
  return { ok: true, user: { ...member, real_name: member.name, team_id: app.team, is_bot: false } };
}

function viewsOpen(workspace: Workspace, args: Arguments): Answer {
  const trigger = workspace.useTrigger(String(args.trigger_id));
  if (typeof trigger === 'string') return no(trigger);
  const read = readModal(args.view);
  return 'error' in read ? read.error : { ok: true, view: shownView(workspace.open(trigger.user, read.modal)) };
}

function viewsUpdate(workspace: Workspace, args: Arguments): Answer {
  const view = workspace.views.get(String(args.view_id));
  if (view === undefined) return no('not_found');
  if (args.hash !== undefined && args.hash !== view.hash) return no('hash_conflict');
  const read = readModal(args.view);
  if ('error' in read) return read.error;
  workspace.replace(view, read.modal);
  return { ok: true, view: shownView(view) };
}

function content(args: Arguments): { post: z.output<typeof postArguments>; blocks: Block[] } | { error: Answer } {
  const post = postArguments.safeParse({ ...args, metadata: unpacked(args.metadata) });
  if (!post.success) {
    const tooLong = post.error.issues.some(({ message }) => message === 'msg_too_long');
    return {
      error: no(
        tooLong ? 'msg_too_long' : 'invalid_arguments',
        messages(post.error.issues.map((one) => `[ERROR] ${one.message} [json-pointer:/${one.path.join('/')}]`)),
      ),
    };
  }
  const given = unpacked(args.blocks);
  if (given === undefined && (post.data.text ?? '') === '') return { error: no('no_text') };
  const blocks = messageBlocks.safeParse(given ?? []);
  if (!blocks.success) return { error: no('invalid_blocks', messages(wrongWith(blocks.error, 'blocks'))) };
  return { post: post.data, blocks: blocks.data };
}

function readModal(given: unknown): { modal: Modal } | { error: Answer } {
  const read = modal.safeParse(unpacked(given));
  if (read.success) return { modal: read.data };
  return { error: no('invalid_arguments', messages(wrongWith(read.error, 'view'))) };
}

/** In a form, what is no text travels as JSON. */
function unpacked(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

export function shown(message: Message, withMetadata: boolean): Record<string, unknown> {
  const { ts, text, user, blocks, thread, metadata: meta, edited } = message;
  return {
    type: 'message',
    ts,
    text,
    user,
    blocks,
    team: app.team,
    ...(user === app.user ? { bot_id: app.bot, app_id: app.id } : {}),
    ...(thread === undefined ? {} : { thread_ts: thread }),
    ...(edited === undefined ? {} : { edited: { user, ts: edited } }),
    ...(withMetadata && meta !== undefined ? { metadata: meta } : {}),
  };
}

export function shownView({
  id,
  hash,
  modal: { private_metadata = '', ...rest },
  blocks,
}: View): Record<string, unknown> {
  return {
    ...rest,
    id,
    hash,
    blocks,
    private_metadata,
    team_id: app.team,
    app_id: app.id,
    bot_id: app.bot,
    root_view_id: id,
  };
}

function no(error: string, more: Record<string, unknown> = {}): Answer {
  return { ok: false, error, ...more };
}

function messages(all: string[]): Record<string, unknown> {
  return { errors: all, response_metadata: { messages: all } };
}
