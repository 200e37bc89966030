/** HTTP around the answers: reads only, keeps nothing, lets no page load or run anything that is not its own. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { liveScript } from '../../evidence/render/html/live-script.ts';
import { style } from '../../evidence/render/html/style.ts';
import { type Answer, answer, type Sources } from './answer.ts';
import { messagePage } from './message-page.ts';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const policy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(liveScript)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'cache-control': 'no-store',
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

export function pagesServer(sources: Sources, logger: Logger, answered?: (status: number) => void): Server {
  return createServer((request, response) => {
    response.once('finish', () => answered?.(response.statusCode));
    respond(request, response, sources).catch((error: unknown) => {
      logger.error(
        { path: request.url, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        'this page failed',
      );
      send(request, response, {
        status: 500,
        type: 'text/html',
        body: messagePage({
          title: 'This page failed',
          lines: ['Lifeboat made a mistake; the log of lifeboat-pages has it.'],
        }),
      });
    });
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, sources: Sources): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(request, response, { status: 405, type: 'text/plain', body: 'These pages can only be read: GET or HEAD.\n' });
    return;
  }
  send(request, response, await answer(pathOf(request), sources));
}

/** The path alone, still encoded; the query means nothing here. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split(/[?#]/, 1)[0] || '/';
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  if (response.headersSent) return;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...headers,
    'content-type': `${type}; charset=utf-8`,
    'content-length': bytes.byteLength,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
