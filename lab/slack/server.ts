/** HTTP around the workspace: Slack's API below /api, the page, and below /lab what tests and the demo ask of it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { messageBlocks } from './block-kit.ts';
import { app, incidentChannel } from './cast.ts';
import { type Fault, Faults, ruleSchema } from './faults.ts';
import { Interactions, NotThere } from './interactions.ts';
import { page } from './page/page.ts';
import { Sockets } from './sockets.ts';
import { type Arguments, botScopes, call, type Tokens } from './web-api.ts';
import { members, Workspace } from './workspace.ts';

export interface WorkspaceOptions {
  tokens: Tokens;
  signingSecret: string;
  requestUrl?: string;
}

export interface WorkspaceServer {
  server: Server;
  workspace: Workspace;
  faults: Faults;
  close(): void;
}

export function workspaceServer({ tokens, signingSecret, requestUrl }: WorkspaceOptions): WorkspaceServer {
  const workspace = new Workspace();
  const faults = new Faults();
  const sockets = new Sockets();
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const interactions = new Interactions(workspace, { sockets, signingSecret, requestUrl, origin });
  const rooms = { workspace, faults, sockets, interactions, tokens, origin };
  const server = createServer((request, response) => {
    answer(rooms, request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      const status = error instanceof NotThere ? 404 : error instanceof z.ZodError ? 400 : 500;
      const words =
        error instanceof z.ZodError ? z.prettifyError(error) : String(error instanceof Error ? error.message : error);
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${words}\n`);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    if (faults.down) socket.destroy();
    else sockets.upgrade(request, socket, head);
  });
  return {
    server,
    workspace,
    faults,
    close: () => {
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Rooms {
  workspace: Workspace;
  faults: Faults;
  sockets: Sockets;
  interactions: Interactions;
  tokens: Tokens;
  origin(): string;
}

async function answer(rooms: Rooms, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://workspace');
  const [, room = '', ...rest] = url.pathname.split('/');
  if (room === 'api') return api(rooms, rest.join('/'), request, response);
  if (room === 'hooks') return hook(rooms, rest.join('/'), request, response);
  if (room === 'page' && rest[0] === 'events') return events(rooms, response);
  if (room === 'page') return act(rooms, rest[0] ?? '', request, response);
  if (room === 'lab') return control(rooms, `${request.method} ${rest.join('/')}`, request, response);
  if (room !== '') throw new NotThere(`there is no ${url.pathname}`);
  const as = members.find(({ id }) => id === url.searchParams.get('as'))?.id ?? members[0]?.id ?? '';
  const channel = rooms.workspace.channel(url.searchParams.get('channel') ?? '')?.id ?? incidentChannel.id;
  const body = page({ workspace: rooms.workspace, as, channel, connected: connected(rooms) });
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(body);
}

const connected = ({ sockets, interactions }: Rooms) => sockets.count > 0 || interactions.ways.requestUrl !== undefined;

async function api(rooms: Rooms, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  const fault = rooms.faults.strike(name);
  if (fault !== undefined && (await struck(fault, request, response))) return;
  const args = argumentsOf(request, body);
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? String(args.token ?? '');
  const result = call(rooms.workspace, name, {
    args,
    token,
    tokens: rooms.tokens,
    surroundings: {
      origin: rooms.origin(),
      socketUrl: () =>
        `${rooms.origin().replace('http', 'ws')}/socket?ticket=${rooms.sockets.ticket()}&app_id=${app.id}`,
    },
  });
  if (fault?.kind === 'unheard') return void request.socket.destroy();
  json(response, 200, result, { 'x-oauth-scopes': botScopes.join(',') });
}

/** Whether the fault was the answer. */
async function struck(fault: Fault, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'down':
      request.socket.destroy();
      return true;
    case 'slow':
      await pause(fault.ms);
      return response.destroyed;
    case 'rate-limited':
      json(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(fault.retryAfterS) });
      return true;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>');
      return true;
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/plain' }).end('upstream failure');
      return true;
    case 'unheard':
      return false;
  }
}

const hookBody = z.object({
  text: z.string().default(''),
  blocks: z.unknown().optional(),
  response_type: z.string().optional(),
});

/** An address for one answer to a command or a click. */
async function hook(rooms: Rooms, id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  if (rooms.faults.down) return void request.socket.destroy();
  const to = rooms.workspace.useResponseUrl(id);
  if (to === undefined) return json(response, 404, { ok: false, error: 'expired_url' });
  const said = hookBody.parse(JSON.parse(body));
  const blocks = messageBlocks.safeParse(said.blocks ?? []);
  if (!blocks.success) return json(response, 400, { ok: false, error: 'invalid_blocks' });
  rooms.workspace.post({
    channel: to.channel,
    user: app.user,
    text: said.text,
    blocks: blocks.data,
    ...(to.thread === undefined ? {} : { thread: to.thread }),
    ...(said.response_type === 'in_channel' ? {} : { onlyFor: to.user }),
  });
  response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
}

const actions = {
  click: z.strictObject({
    as: z.string(),
    channel: z.string(),
    ts: z.string(),
    block: z.string(),
    action: z.string(),
    version: z.int().min(0).optional(),
  }),
  submit: z.strictObject({ as: z.string(), view: z.string(), values: z.record(z.string(), z.string()) }),
  close: z.strictObject({ as: z.string(), view: z.string() }),
  say: z.strictObject({ as: z.string(), channel: z.string(), line: z.string().min(1) }),
};

/** What somebody does on the page. */
async function act(rooms: Rooms, what: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const given: unknown = JSON.parse((await read(request)) || '{}');
  const { workspace, interactions } = rooms;
  if (what === 'click') {
    const { as, channel, ts, block, action, version } = actions.click.parse(given);
    const message = workspace.find(channel, ts);
    if (message === undefined) throw new NotThere('there is no such message');
    await interactions.click(as, message, { block, id: action, ...(version === undefined ? {} : { version }) });
  } else if (what === 'submit') {
    const { view, values } = actions.submit.parse(given);
    await interactions.submit(viewOf(workspace, view), values);
  } else if (what === 'close') workspace.close(viewOf(workspace, actions.close.parse(given).view));
  else if (what === 'say') await say(rooms, actions.say.parse(given));
  else throw new NotThere(`there is no action ${what}`);
  response.writeHead(204).end();
}

async function say({ workspace, interactions }: Rooms, said: z.output<typeof actions.say>): Promise<void> {
  const channel = workspace.channel(said.channel);
  if (channel === undefined) throw new NotThere('there is no such channel');
  if (said.line.startsWith('/')) return interactions.command(said.as, channel, said.line);
  workspace.post({ channel: channel.id, user: said.as, text: said.line.replace(/[<>&]/g, '·') });
}

function viewOf(workspace: Workspace, id: string) {
  const view = workspace.views.get(id);
  if (view === undefined) throw new NotThere('this dialog is not open any more');
  return view;
}

function events({ workspace }: Rooms, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const tell = () => response.write('data: changed\n\n');
  workspace.events.on('changed', tell);
  response.on('close', () => workspace.events.off('changed', tell));
  tell();
}

async function control(rooms: Rooms, what: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await read(request);
  const { workspace, faults, sockets, interactions } = rooms;
  switch (what) {
    case 'GET state':
      return json(response, 200, {
        messages: workspace.messages,
        views: [...workspace.views.values()],
        told: interactions.told,
        sockets: { open: sockets.count, opened: sockets.opened },
        struck: faults.struck,
      });
    case 'PUT faults':
      faults.set(z.array(ruleSchema).parse(JSON.parse(body)));
      if (faults.down) sockets.drop();
      return json(response, 200, { ok: true });
    case 'POST refresh':
      sockets.refresh();
      return json(response, 200, { ok: true });
    case 'POST drop':
      sockets.drop();
      return json(response, 200, { ok: true });
    case 'POST again':
      return json(response, 200, await interactions.again(-1));
    case 'PUT request-url':
      interactions.ways.requestUrl = body === '' ? undefined : z.url().parse(body);
      return json(response, 200, { ok: true });
    default:
      throw new NotThere(`there is no ${what}`);
  }
}

function argumentsOf(request: IncomingMessage, body: string): Arguments {
  if (request.headers['content-type']?.startsWith('application/json')) return JSON.parse(body || '{}') as Arguments;
  const query = new URL(request.url ?? '/', 'http://workspace').searchParams;
  return Object.fromEntries([...query, ...new URLSearchParams(body)]);
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}
