/** One question to one DNS server, over UDP: the whole answer, with who says it and how long it may be kept. */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import type { DnsServer } from '../../plan/entry.ts';
import { type EntryType, entryValue, sameName } from '../../plan/entry-value.ts';

export interface DnsQuestion {
  name: string;
  type: EntryType;
  /** A resolver is asked to find out; the zone's own server only for what it has. */
  recursive: boolean;
}

export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED`, ... */
  code: string;
  /** The server keeps the zone itself. */
  authoritative: boolean;
  /** Of this very name, in the order of their values. */
  records: { type: string; value: string; ttlSeconds: number }[];
}

/** Milliseconds; a packet may be lost once. */
const answerMs = 1_500;
const tries = 2;

/** What came, in words that end a sentence about the server. */
export class NoAnswer extends Error {}

/** @throws NoAnswer */
export async function askDns(server: DnsServer, question: DnsQuestion): Promise<DnsAnswer> {
  const address = await addressOf(server);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await askOnce(address, server.port, question);
    if (answer !== undefined) return answer;
    if (attempt === tries) throw new NoAnswer(`does not answer within ${(tries * answerMs) / 1_000} s`);
  }
}

/** `10.0.0.53:53` */
export function placeOf({ host, port }: DnsServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

async function addressOf({ host }: DnsServer): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new NoAnswer(`cannot be found: its name does not resolve (${codeOf(error)})`);
  }
}

/** `undefined`: nothing came in time. */
function askOnce(address: string, port: number, question: DnsQuestion): Promise<DnsAnswer | undefined> {
  const { name, type, recursive } = question;
  const id = randomInt(1, 65_536);
  const flags = recursive ? RECURSION_DESIRED : 0;
  const packet = encode({ type: 'query', id, flags, questions: [{ name, type, class: 'IN' }] });
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  return new Promise<DnsAnswer | undefined>((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), answerMs);
    socket.on('error', (error) => reject(new NoAnswer(unreachable(error))));
    socket.on('message', (bytes) => {
      const answer = read(bytes, id, question);
      if (answer !== undefined) resolve(answer);
    });
    socket.once('connect', () => socket.send(packet));
    socket.once('close', () => clearTimeout(timer));
    // Connected: nobody else's packet is taken for the answer, and a closed port is told at once.
    socket.connect(port, address);
  }).finally(() => close(socket));
}

/** What is not the answer to this question is not looked at. */
function read(bytes: Buffer, id: number, { name, type }: DnsQuestion): DnsAnswer | undefined {
  const packet = decoded(bytes);
  const [asked] = packet?.questions ?? [];
  if (packet === undefined || packet.id !== id || packet.type !== 'response') return undefined;
  if (asked !== undefined && (sameName(asked.name) !== sameName(name) || asked.type !== type)) return undefined;
  const records = (packet.answers ?? []).flatMap((one) =>
    'data' in one && typeof one.data === 'string' && sameName(one.name) === sameName(name)
      ? [{ type: one.type, value: comparable(one.type, one.data), ttlSeconds: one.ttl ?? 0 }]
      : [],
  );
  return {
    code: packet.rcode ?? 'without a code',
    authoritative: packet.flag_aa,
    records: records.sort((one, other) => one.value.localeCompare(other.value)),
  };
}

function decoded(bytes: Buffer): (DecodedPacket & { rcode?: string }) | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function comparable(type: string, data: string): string {
  return (type === 'A' || type === 'AAAA' || type === 'CNAME' ? entryValue(type, data) : undefined) ?? data;
}

function close(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It was never opened.
  }
}

function unreachable(error: unknown): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return 'refuses questions: nobody listens there';
  return `cannot be reached (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
