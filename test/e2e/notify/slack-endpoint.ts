/** As much of Slack's API as posting needs, over HTTP, which does to the next requests what it is told to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface Told {
  ts: string;
  channel: string;
  thread_ts?: string;
  text: string;
  blocks?: unknown;
  metadata?: { event_type: string; event_payload: { key: string } };
}

/** What becomes of a request. `lost`: it is done, and the answer never arrives. */
export type Fate =
  | 'well'
  | 'garbage'
  | 'broken'
  | 'lost'
  | { slowMs: number }
  | { retryAfter: number }
  | { refuses: string };

export const channelId = 'C0INCIDENT';
const channelName = 'incident';

export class SlackEndpoint {
  readonly told: Told[] = [];
  readonly requests: { method: string; at: number; token: string }[] = [];
  /** Of the next requests, the first of them first; afterwards all goes well. */
  fates: Fate[] = [];
  /** Of each request to a method, until it is taken away. */
  always: Record<string, Fate> = {};
  #server: Server | undefined;
  #count = 0;

  async start(): Promise<string> {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    return listening(this.#server);
  }

  async stop(): Promise<void> {
    await stopped(this.#server);
  }

  get keys(): string[] {
    return this.told.map((one) => one.metadata?.event_payload.key ?? '');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = (request.url ?? '').replace(/^\/api\//, '').replace(/\?.*/, '');
    const ask = await bodyOf(request);
    const token = request.headers.authorization ?? String(ask.token ?? '');
    this.requests.push({ method, at: performance.now(), token });
    const fate = this.fates.shift() ?? this.always[method] ?? 'well';
    if (fate === 'broken') return void response.writeHead(500).end('<html>sorry</html>');
    if (fate === 'garbage')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>');
    if (typeof fate === 'object' && 'retryAfter' in fate)
      return void response
        .writeHead(429, { 'retry-after': String(fate.retryAfter) })
        .end('{"ok":false,"error":"ratelimited"}');
    if (typeof fate === 'object' && 'refuses' in fate) return json(response, { ok: false, error: fate.refuses });
    if (typeof fate === 'object') await pause(fate.slowMs);
    const answer = this.#done(method, ask);
    if (fate === 'lost') return void response.destroy();
    json(response, answer);
  }

  #done(method: string, ask: Record<string, unknown>): object {
    switch (method) {
      case 'chat.postMessage':
        return this.#post(ask);
      case 'chat.update': {
        const old = this.told.find((one) => one.ts === ask.ts);
        if (old === undefined) return { ok: false, error: 'message_not_found' };
        Object.assign(old, { text: ask.text, blocks: ask.blocks });
        return { ok: true, channel: old.channel, ts: old.ts };
      }
      case 'conversations.history':
        return this.#listed((one) => one.thread_ts === undefined);
      case 'conversations.replies':
        return this.#listed((one) => one.ts === ask.ts || one.thread_ts === ask.ts);
      case 'conversations.list':
        return { ok: true, channels: [{ id: channelId, name: channelName }] };
      default:
        return { ok: false, error: 'unknown_method' };
    }
  }

  #post(ask: Record<string, unknown>): object {
    if (ask.channel !== channelId && ask.channel !== `#${channelName}`)
      return { ok: false, error: 'channel_not_found' };
    this.#count += 1;
    const ts = `1795270000.${String(this.#count).padStart(6, '0')}`;
    this.told.push({ ...ask, ts, channel: channelId } as Told);
    return { ok: true, channel: channelId, ts };
  }

  #listed(which: (one: Told) => boolean): object {
    return { ok: true, messages: this.told.filter(which), has_more: false };
  }
}

export interface Hooked {
  key: string | undefined;
  body: Record<string, unknown>;
}

/** An address that takes JSON. */
export class HookEndpoint {
  readonly taken: Hooked[] = [];
  status = 200;
  #server: Server | undefined;

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      const key = request.headers['idempotency-key'];
      if (this.status < 300) this.taken.push({ key: String(key), body: await bodyOf(request) });
      response.writeHead(this.status, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    });
    return listening(this.#server);
  }

  async stop(): Promise<void> {
    await stopped(this.#server);
  }
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function stopped(server: Server | undefined): Promise<void> {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Slack takes JSON, and forms whose values are JSON. */
async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  const text = Buffer.concat(parts).toString('utf8');
  if (request.headers['content-type']?.includes('json')) return JSON.parse(text);
  return Object.fromEntries([...new URLSearchParams(text)].map(([name, value]) => [name, parsed(value)]));
}

function parsed(value: string): unknown {
  if (!/^[[{]/.test(value)) return value;
  return JSON.parse(value);
}
