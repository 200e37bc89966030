/**
 * Stands in front of the object store and is quiet until it is given rules. It ends TLS, because 503s, truncated
 * and altered answers cannot be made from outside of it, and passes requests on over TLS, byte for byte: signatures
 * cover the Host header and the path as they were written.
 *
 * Environment: LAB_PROXY_PORT, LAB_PROXY_TARGET_PORT, LAB_PROXY_CERTIFICATES (their folder), LAB_PROXY_CONTROL (a socket's path).
 */
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createControl, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { certificates } from './certificates.ts';
import { required } from './environment.ts';
import { faultDoor } from './fault-door.ts';
import { Memory } from './fault-memory.ts';
import { doorSchema, type Fault, faultRuleSchema, type RuleState, strike } from './faults.ts';

const targetPort = Number(required('LAB_PROXY_TARGET_PORT'));
const shown = certificates(required('LAB_PROXY_CERTIFICATES'));
const agent = new TlsAgent({ keepAlive: true, ca: readFileSync(shown.authority), maxSockets: 64 });
let rules: RuleState[] = [];
let memory = new Memory();

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const struck = strike(rules, incoming.method ?? '', incoming.url ?? '');
  const fault = struck?.fault;
  if (fault?.kind === 'hang') return;
  if (struck !== undefined && (fault?.kind === 'old' || fault?.kind === 'other')) {
    const question = fault.kind === 'old' ? `${incoming.method} ${incoming.url}` : `rule ${rules.indexOf(struck.by)}`;
    return memory.answer(question, incoming, outgoing, () => passOn(incoming));
  }
  if (fault?.kind === 'status') return refuse(incoming, outgoing, fault);
  if (fault?.kind === 'drop' && fault.when === 'before') return void incoming.socket.destroy();
  if (fault?.kind === 'delay') await pause(fault.ms);
  const answer = await passOn(incoming);
  if (fault?.kind === 'drop') {
    answer.resume();
    return void incoming.socket.destroy();
  }
  await giveBack(answer, outgoing, fault);
}

/** As S3 says it: the body is read first, else the client sees a broken pipe instead of the status. */
async function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, code }: Extract<Fault, { kind: 'status' }>,
): Promise<void> {
  for await (const _ of incoming);
  const name = code ?? (status === 503 ? 'SlowDown' : 'InternalError');
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${name}</Code><Message>injected by the fault proxy</Message></Error>`;
  outgoing.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
  outgoing.end(incoming.method === 'HEAD' ? undefined : body);
}

function passOn(incoming: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = tlsRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      port: targetPort,
      method: incoming.method,
      path: incoming.url,
      // Raw: names, order and repetitions stay as the client wrote them.
      headers: incoming.rawHeaders,
      setHost: false,
      agent,
    });
    request.on('response', resolve);
    request.on('error', reject);
    incoming.on('aborted', () => request.destroy());
    incoming.pipe(request);
  });
}

async function giveBack(answer: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): Promise<void> {
  const short = fault?.kind === 'truncate' && fault.announce === 'short';
  const headers = short ? shortened(answer, fault.afterBytes) : answer.rawHeaders;
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
  if (fault?.kind === 'truncate') return cutOff(answer, outgoing, fault.afterBytes, short);
  if (fault?.kind === 'flip') return pipeline(answer, flipped(fault.atByte, lengthOf(answer)), outgoing);
  return pipeline(answer, outgoing);
}

function shortened(answer: IncomingMessage, bytes: number): string[] {
  const length = String(Math.min(bytes, lengthOf(answer)));
  return answer.rawHeaders.map((part, at, all) =>
    at % 2 === 1 && all[at - 1]?.toLowerCase() === 'content-length' ? length : part,
  );
}

async function cutOff(answer: Readable, outgoing: ServerResponse, bytes: number, inOrder: boolean): Promise<void> {
  let left = bytes;
  for await (const part of answer as AsyncIterable<Buffer>) {
    if (left > 0) outgoing.write(part.subarray(0, left));
    left -= part.length;
  }
  if (inOrder) outgoing.end();
  // After what was written has left: a socket that is destroyed at once sends nothing.
  else outgoing.write('', () => outgoing.socket?.destroySoon());
}

function flipped(atByte: number, length: number): Transform {
  const at = Math.max(0, Math.min(atByte, length - 1));
  let passed = 0;
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      const inside = at - passed;
      passed += part.length;
      if (inside >= 0 && inside < part.length) part[inside] = (part[inside] ?? 0) ^ 0xff;
      done(null, part);
    },
  });
}

function lengthOf(answer: IncomingMessage): number {
  return Number(answer.headers['content-length'] ?? Number.MAX_SAFE_INTEGER);
}

function answerBroken(error: unknown, outgoing: ServerResponse): void {
  console.error(error instanceof Error ? error.message : error);
  if (outgoing.headersSent) return void outgoing.socket?.destroy();
  outgoing.writeHead(502, { connection: 'close' }).end();
}

async function obey(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  if (incoming.method === 'DELETE') {
    rules = [];
    memory = new Memory();
    door.turn('open');
  } else if (incoming.method === 'POST' && incoming.url === '/door')
    door.turn(doorSchema.parse(await readOrder(incoming)));
  else if (incoming.method === 'POST')
    rules.push({ rule: faultRuleSchema.parse(await readOrder(incoming)), seen: 0, struck: 0 });
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rules));
}

async function readOrder(incoming: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of incoming) text += part;
  return JSON.parse(text);
}

const read = (cert: string, key: string) => ({ cert: readFileSync(cert), key: readFileSync(key) });
const ordinary = read(shown.certificate, shown.key);
const server = createServer(ordinary);
const door = faultDoor(server, {
  open: ordinary,
  expired: read(shown.expired, shown.key),
  stranger: read(shown.stranger, shown.strangerKey),
});
const handle = (incoming: IncomingMessage, outgoing: ServerResponse) =>
  void serve(incoming, outgoing).catch((error) => answerBroken(error, outgoing));
server.on('request', handle);
// Some clients ask before a large body; the store behind is near enough to say yes for it.
server.on('checkContinue', (incoming, outgoing) => {
  outgoing.writeContinue();
  handle(incoming, outgoing);
});
// A pool of the client may be idle for long; closing under it would look like a fault that nobody asked for.
server.keepAliveTimeout = 120_000;
server.requestTimeout = 0;
door.server.listen(Number(required('LAB_PROXY_PORT')), '127.0.0.1');

const control = createControl((incoming, outgoing) => {
  obey(incoming, outgoing).catch((error) => outgoing.writeHead(400).end(String(error)));
});
// Killed, it has left its socket behind.
rmSync(required('LAB_PROXY_CONTROL'), { force: true });
control.listen(required('LAB_PROXY_CONTROL'));

process.on('SIGTERM', () => process.exit(0));
