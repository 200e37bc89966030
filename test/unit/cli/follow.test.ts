import { expect, test } from 'vitest';
import { type Ending, type RunState, Silence } from '../../../cli/engine/engine.ts';
import { follow, type Viewer } from '../../../cli/follow/follow.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { evidence, type Moment, proven, provenEvidence, running, scriptedRun } from './stage.ts';

const pace = { everyMs: 1, lastPageWithinMs: 20, signOfLife: { afterMs: 1_000, everyMs: 1_000 } };
const never = new AbortController().signal;
const ended = (): RunState => running({ status: 'completed' });
const engineSilent = () => new Silence('engine', 'no answer');
const workersSilent = () => new Silence('workers', 'no control worker answers');

interface Seen {
  pages: (Evidence | undefined)[];
  news: string[];
  end?: { ending: Ending; evidence: Evidence | undefined };
}

async function watch(moments: readonly Moment[], stop: AbortSignal = never) {
  const seen: Seen = { pages: [], news: [] };
  const viewer: Viewer = {
    saw: ({ evidence: page }) => seen.pages.push(page),
    silent: (of) => seen.news.push(`${of} silent`),
    answers: (of) => seen.news.push(`${of} answers`),
    ended: (end) => {
      seen.end = end;
    },
  };
  const ending = await follow(scriptedRun(moments), viewer, stop, pace);
  return { ...seen, ending };
}

test('a run is followed to its end, and the last page is the one that was asked for after it', async () => {
  const seen = await watch([
    { state: running(), evidence: undefined },
    { state: running(), evidence: evidence() },
    { state: ended(), evidence: provenEvidence() },
  ]);
  expect(seen.pages).toEqual([undefined, evidence()]);
  expect(seen.ending).toEqual(proven);
  expect(seen.end?.evidence?.outcome).toBe('proven');
});

test('a silent control worker is said once, and once more when it answers; the following goes on', async () => {
  const seen = await watch([
    { state: running(), evidence: evidence() },
    { state: running(), evidence: workersSilent() },
    { state: running(), evidence: workersSilent() },
    { state: running(), evidence: evidence() },
    { state: ended(), evidence: provenEvidence() },
  ]);
  expect(seen.news).toEqual(['workers silent', 'workers answers']);
  expect(seen.ending).toEqual(proven);
});

test('while a worker is silent the page that was seen last stays', async () => {
  const seen = await watch([
    { state: running(), evidence: evidence() },
    { state: running(), evidence: workersSilent() },
    { state: ended(), evidence: provenEvidence() },
  ]);
  expect(seen.pages).toEqual([evidence(), evidence()]);
});

test('a server that is away is waited for', async () => {
  const seen = await watch([
    { state: engineSilent() },
    { state: engineSilent() },
    { state: running(), evidence: evidence() },
    { state: ended(), evidence: provenEvidence() },
  ]);
  expect(seen.news).toEqual(['engine silent', 'engine answers']);
  expect(seen.ending).toEqual(proven);
});

test('a run that ended while no worker answers ends with the page that was seen last', async () => {
  const seen = await watch([
    { state: running(), evidence: evidence() },
    { state: ended(), evidence: workersSilent() },
  ]);
  expect(seen.end).toEqual({ ending: proven, evidence: evidence() });
});

test('stopping ends the looking without an ending', async () => {
  const stop = new AbortController();
  const looking = watch([{ state: running(), evidence: evidence() }], stop.signal);
  stop.abort();
  const seen = await looking;
  expect(seen.ending).toBeUndefined();
  expect(seen.end).toBeUndefined();
});

test('a mistake is not mistaken for silence', async () => {
  await expect(watch([{ state: new TypeError('broken') }])).rejects.toThrow('broken');
});
