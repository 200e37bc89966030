/** One question to an address of the web, over a connection of its own: no earlier one is taken, which another server may have answered. */
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { failure } from '../failure.ts';

export interface WebQuestion {
  url: string;
  withinMs: number;
  /** PEM; absent: the authorities of this machine. */
  ca?: string | undefined;
}

export interface WebAnswer {
  status: number;
  /** Its beginning. */
  body: string;
  tookMs: number;
}

/** A page that is longer says at its beginning what it is. */
const readBytes = 64 * 1024;

/** What was there instead of an answer, in words that end a sentence about the address. */
export class NoWebAnswer extends Error {
  readonly tookMs: number;

  constructor(why: string, tookMs: number) {
    super(why);
    this.tookMs = tookMs;
  }
}

/** Redirects are answers. @throws NoWebAnswer */
export function askWeb({ url, withinMs, ca }: WebQuestion): Promise<WebAnswer> {
  const began = performance.now();
  const took = () => performance.now() - began;
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? secureRequest : plainRequest)(url, {
      agent: false,
      headers: { 'user-agent': 'lifeboat', connection: 'close' },
      ...(ca === undefined ? {} : { ca }),
    });
    const timer = setTimeout(
      () => request.destroy(new NoWebAnswer(`has not answered within ${withinMs} ms`, withinMs)),
      withinMs,
    );
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error instanceof NoWebAnswer ? error : new NoWebAnswer(whyNot(error), took()));
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const done = () => {
        clearTimeout(timer);
        const body = Buffer.concat(chunks).subarray(0, readBytes).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body, tookMs: took() });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < readBytes) return;
        done();
        response.destroy();
      });
      response.on('end', done);
      response.on('error', (error) => {
        clearTimeout(timer);
        reject(error instanceof NoWebAnswer ? error : new NoWebAnswer(whyNot(error), took()));
      });
    });
    request.end();
  });
}

/** @throws PlanInvalid */
export async function authorityIn(caFile: string | undefined): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  try {
    return await readFile(caFile, 'utf8');
  } catch (error) {
    throw failure(
      'PlanInvalid',
      `the certificate authority ${caFile} cannot be read on the control worker: ${error instanceof Error ? error.message : String(error)}. Correct caFile in the plan.`,
    );
  }
}

/** Of an error of a connection, in words that end a sentence about where it led. */
export function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  const words: Record<string, string> = {
    ECONNREFUSED: 'refuses connections: nobody listens there',
    ECONNRESET: 'has broken the connection off',
    EHOSTUNREACH: 'cannot be reached: there is no way to the host',
    ENETUNREACH: 'cannot be reached: there is no way to its network',
    ENOTFOUND: 'cannot be found: its name does not resolve',
    EAI_AGAIN: 'cannot be found: no resolver answers for its name',
    ETIMEDOUT: 'does not answer',
    CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  };
  return words[code] ?? `cannot be asked: ${message}`;
}
