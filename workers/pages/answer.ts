/** From a path to what is answered. Knows nothing of HTTP but the status. */
import { createHash } from 'node:crypto';
import { stableJson } from '../../activities/evidence/json.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { renderHtml } from '../../evidence/render/html.ts';
import { renderMarkdown } from '../../evidence/render/markdown.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import type { Engine } from './engine.ts';
import { indexPage, runPath } from './index-page.ts';
import { ledger } from './ledger.ts';
import { type Message, messagePage } from './message-page.ts';
import { type Found, runEvidence } from './run-evidence.ts';
import type { Stores } from './stores.ts';

export interface Answer {
  status: number;
  type: 'text/html' | 'text/markdown' | 'application/json' | 'text/plain';
  body: string | Uint8Array;
}

export interface Sources {
  engine: Engine;
  stores: Stores;
  /** Of a run in the Temporal UI, and of the UI itself; absent where there is none. */
  engineUrl?: (run?: string) => string;
}

type Form = 'html' | 'json' | 'markdown';

const lookAgainMs = 2000;

export async function answer(path: string, sources: Sources): Promise<Answer> {
  if (path === '/health') return { status: 200, type: 'application/json', body: '{"status":"ok"}\n' };
  if (path === '/') return index(sources);
  const wanted = runIn(path);
  if (wanted === undefined)
    return inWords(404, 'html', {
      title: 'There is nothing here',
      lines: ['Runs are at /runs/<name>, all of them at /.'],
    });
  const { run, form } = wanted;
  return told(run, form, await runEvidence(sources.engine, sources.stores, run), sources);
}

async function index({ engine, stores, engineUrl }: Sources): Promise<Answer> {
  const now = new Date();
  return { status: 200, type: 'text/html', body: indexPage(await ledger(engine, stores, now), now, engineUrl?.()) };
}

const endings = { '.json': 'json', '.md': 'markdown' } as const;

function runIn(path: string): { run: string; form: Form } | undefined {
  const encoded = /^\/runs\/([^/]+)$/.exec(path)?.[1];
  const name = encoded === undefined ? undefined : decoded(encoded);
  if (name === undefined) return undefined;
  for (const [ending, form] of Object.entries(endings))
    if (name.endsWith(ending) && name !== ending) return { run: name.slice(0, -ending.length), form };
  return { run: name, form: 'html' };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function told(run: string, form: Form, found: Found, sources: Sources): Answer {
  switch (found.kind) {
    case 'evidence':
      return rendered(found.evidence, form, sources);
    case 'starting':
      return inWords(202, form, {
        title: `${run} is starting`,
        lines: ['It has not read its plan yet.'],
        refreshMs: lookAgainMs,
      });
    case 'refused':
      return inWords(200, form, {
        title: `${run} ended before it began`,
        lines: [
          `${found.failure.type}: ${found.failure.message}`,
          `Started ${found.known.startedAt}, ended ${found.known.endedAt ?? ''} (${found.known.status}).`,
        ],
      });
    case 'nowhere':
      return inWords(404, form, {
        title: `There is no run ${run}`,
        lines: ['Neither Temporal nor the evidence stores of the known plans have it.'],
      });
    case 'unanswered':
      return inWords(503, form, { title: `${run} cannot be shown now`, lines: found.why, refreshMs: lookAgainMs });
  }
}

function rendered(known: Evidence, form: Form, { engineUrl }: Sources): Answer {
  const now = new Date().toISOString();
  const goesOn = known.outcome === 'running';
  // What the store holds is shown byte for byte: its hash stands for it.
  const evidence = goesOn ? seenAt(known, now) : known;
  const json = stableJson(evidence);
  if (form === 'json') return { status: 200, type: 'application/json', body: json };
  if (form === 'markdown') return { status: 200, type: 'text/markdown', body: renderMarkdown(evidence, { now }) };
  const path = runPath(evidence.run);
  const links = {
    runs: '/',
    json: `${path}.json`,
    markdown: `${path}.md`,
    ...(engineUrl === undefined ? {} : { engine: engineUrl(evidence.run) }),
  };
  const sha256 = createHash('sha256').update(json).digest('hex');
  return {
    status: 200,
    type: 'text/html',
    body: renderHtml(evidence, {
      live: true,
      now,
      links,
      ...(goesOn ? {} : { sha256 }),
    }),
  };
}

/** In the form that was asked for, so that a program gets no page. */
function inWords(status: number, form: Form, message: Message): Answer {
  const { title, lines } = message;
  if (form === 'json')
    return { status, type: 'application/json', body: `${JSON.stringify({ error: title, lines })}\n` };
  if (form === 'markdown') return { status, type: 'text/plain', body: `${[title, ...lines].join('\n')}\n` };
  return { status, type: 'text/html', body: messagePage(message) };
}
