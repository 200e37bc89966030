/** Patroni's REST API. What it says of others can be some seconds old. */
import { readFile } from 'node:fs/promises';
import { request as plain } from 'node:http';
import { request as secured } from 'node:https';
import type { PatroniDatabase } from '../../../plan/schema.ts';
import type { PatroniAsk } from '../../contract-of-patroni.ts';
import { failure } from '../../failure.ts';
import { resolveSecret } from '../../secrets.ts';

export interface RestAnswer {
  status: number;
  text: string;
}

export interface RestQuestion {
  path: string;
  /** Sent as an order, with user and password. */
  order?: object;
  withinMs: number;
}

/** What a Patroni may answer with; more is none of ours. */
const mostBytes = 1024 * 1024;

/** Where Patroni on this host answers. */
function restAt({ rest }: PatroniDatabase, addresses: Record<string, string>, host: string): string {
  return rest.urls?.[host] ?? `${rest.protocol}://${addresses[host] ?? host}:${rest.port}`;
}

/** @throws PatroniUnreachable nobody answers, or not in time @throws SecretMissing */
export async function askPatroni(ask: PatroniAsk, host: string, question: RestQuestion): Promise<RestAnswer> {
  const { rest } = ask.database;
  const base = restAt(ask.database, ask.addresses, host);
  const url = new URL(question.path, base);
  const headers = { ...(question.order === undefined ? {} : await authorized(ask.database)) };
  const body = question.order === undefined ? undefined : JSON.stringify(question.order);
  const ca = rest.caFile === undefined ? undefined : await readFile(rest.caFile);
  try {
    return await answerOf(url, { headers, ca, body, withinMs: question.withinMs });
  } catch (error) {
    throw failure(
      'PatroniUnreachable',
      `Patroni on ${host} (${base}) does not answer ${question.path}: ${error instanceof Error ? error.message : String(error)}. See whether it runs, and database.rest in the plan.`,
      error,
    );
  }
}

async function authorized({ rest }: PatroniDatabase): Promise<Record<string, string>> {
  const type = { 'Content-Type': 'application/json' };
  if (rest.user === undefined || rest.password === undefined) return type;
  const password = await resolveSecret(rest.password);
  return { ...type, Authorization: `Basic ${Buffer.from(`${rest.user}:${password}`).toString('base64')}` };
}

interface Sent {
  headers: Record<string, string>;
  ca: Buffer | undefined;
  body: string | undefined;
  withinMs: number;
}

function answerOf(url: URL, { headers, ca, body, withinMs }: Sent): Promise<RestAnswer> {
  const send = url.protocol === 'https:' ? secured : plain;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(withinMs);
    const late = () => new Error(`no answer within ${withinMs / 1000} s`);
    const sent = send(
      url,
      { method: body === undefined ? 'GET' : 'POST', headers, signal, agent: false, ...(ca && { ca }) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (text.length > mostBytes) sent.destroy(new Error('it answers with more than 1 MB'));
        });
        response.on('error', (error) => reject(signal.aborted ? late() : error));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', (error) => reject(signal.aborted ? late() : error));
    sent.end(body);
  });
}
