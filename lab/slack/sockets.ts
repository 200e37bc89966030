/** Socket Mode: the app's end is a WebSocket, and each message has to be acknowledged. https://docs.slack.dev/apis/events-api/using-socket-mode */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { app } from './cast.ts';

// Bolt takes a connection for dead when it hears no ping for 30 s.
const pingEveryMs = 10_000;

export class Sockets {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #tickets = new Set<string>();
  readonly #open = new Set<WebSocket>();
  readonly #waiting = new Map<string, (payload: unknown) => void>();
  readonly #ping: NodeJS.Timeout;
  #opened = 0;

  constructor() {
    this.#ping = setInterval(() => {
      for (const socket of this.#open) socket.ping();
    }, pingEveryMs);
    this.#ping.unref();
  }

  get count(): number {
    return this.#open.size;
  }

  /** All that were ever opened: a new one after a disconnect is one more. */
  get opened(): number {
    return this.#opened;
  }

  ticket(): string {
    const ticket = randomUUID();
    this.#tickets.add(ticket);
    return ticket;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const ticket = new URL(request.url ?? '/', 'http://workspace').searchParams.get('ticket') ?? '';
    if (!this.#tickets.delete(ticket)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (open) => this.#greet(open));
  }

  /** `undefined`: no socket is open. Resolves with what came with the acknowledgement, or rejects when none came. */
  async send(type: string, payload: unknown, withinMs: number): Promise<{ payload: unknown } | undefined> {
    const [socket] = this.#open;
    if (socket === undefined) return undefined;
    const envelope = randomUUID();
    const acknowledged = new Promise<{ payload: unknown }>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(envelope);
        reject(new Error(`not acknowledged within ${withinMs / 1000} s`));
      }, withinMs);
      this.#waiting.set(envelope, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(envelope);
        resolve({ payload: answer });
      });
    });
    socket.send(JSON.stringify({ envelope_id: envelope, type, payload, accepts_response_payload: true }));
    return acknowledged;
  }

  /** As Slack does every few hours: says so, and the app opens another. */
  refresh(): void {
    const message = JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: { host: 'lab' } });
    for (const socket of this.#open) {
      socket.send(message);
      socket.close(1000);
    }
  }

  /** Without a word. */
  drop(): void {
    for (const socket of this.#open) socket.terminate();
  }

  close(): void {
    clearInterval(this.#ping);
    this.drop();
    this.#server.close();
  }

  #greet(socket: WebSocket): void {
    this.#open.add(socket);
    this.#opened += 1;
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => this.#open.delete(socket));
    socket.on('message', (data) => this.#acknowledge(data));
    const hello = { type: 'hello', num_connections: this.#open.size, connection_info: { app_id: app.id } };
    socket.send(JSON.stringify({ ...hello, debug_info: { host: 'lab', approximate_connection_time: 18_060 } }));
  }

  #acknowledge(data: RawData): void {
    const read: unknown = JSON.parse(String(data));
    if (typeof read !== 'object' || read === null || !('envelope_id' in read)) return;
    this.#waiting.get(String(read.envelope_id))?.('payload' in read ? read.payload : undefined);
  }
}
