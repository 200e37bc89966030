/** A run that waits for people stands still, and the time that it shows does not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { awaitedOf } from '../../../evidence/asked.ts';
import { cutOff } from '../../../evidence/cut-off.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { forecast } from '../../../evidence/forecast.ts';
import { commandWords, whenWords, whoWords } from '../../../evidence/render/asked.ts';
import { renderHtml } from '../../../evidence/render/html.ts';
import { renderMarkdown } from '../../../evidence/render/markdown.ts';
import { forecastSentence } from '../../../evidence/render/people-words.ts';
import { renderTerminal } from '../../../evidence/render/terminal.ts';
import { seenAt } from '../../../evidence/seen-at.ts';
import { hostileEvidence } from './hostile.ts';
import { waiting } from './people-samples.ts';
import { words } from './words.ts';

const minute = 60_000;
const asked = Date.parse(awaitedOf(waiting())[0]?.since ?? '');
const later = (ms: number): string => new Date(asked + ms).toISOString();

/** The sample, at the moment at which it has begun to wait: its phase began then too. */
function beginsToWait(): Evidence {
  const evidence = waiting();
  const [first, ...rest] = evidence.phases;
  if (first === undefined) throw new Error('the sample has no phase');
  return {
    ...evidence,
    phases: [{ ...first, startedAt: later(0), peopleSince: later(0) }, ...rest],
    forecast: { at: later(0), endsAt: later(minute), how: '3 earlier runs' },
  };
}

describe('while people are waited for', () => {
  test('the time that they take goes on, and the machine\u2019s does not', () => {
    const seen = seenAt(beginsToWait(), later(3 * minute));
    expect(seen.phases[0]?.peopleMs).toBe(3 * minute);
    expect(beginsToWait().phases[0]?.peopleMs).toBe(0);
  });

  test('the end moves on by as long, and with it how late it will be', () => {
    const evidence = { ...beginsToWait(), objectives: { rtoMs: 10 * minute, rpoMs: minute } };
    const made = {
      at: later(0),
      endsAt: later(2 * minute),
      recoveredAt: new Date(Date.parse(evidence.startedAt) + 9 * minute).toISOString(),
      how: '3 earlier runs',
    };
    const seen = (ms: number) => seenAt({ ...evidence, forecast: made }, later(ms)).forecast;
    expect(seen(3 * minute)).toMatchObject({ endsAt: later(5 * minute) });
    expect(seen(0)).not.toHaveProperty('lateByMs');
    expect(seen(3 * minute)?.lateByMs).toBe(2 * minute);
  });

  test('to look twice counts nothing twice', () => {
    fc.assert(
      fc.property(fc.nat(60 * minute), fc.nat(60 * minute), (first, more) => {
        const once = seenAt(beginsToWait(), later(first + more));
        expect(seenAt(seenAt(beginsToWait(), later(first)), later(first + more))).toEqual(once);
      }),
    );
  });

  test.each<[string, (evidence: Evidence, now: string) => string]>([
    ['the page', (evidence, now) => words(renderHtml(evidence, { now }))],
    ['the Markdown', (evidence, now) => renderMarkdown(evidence, { now })],
    ['the terminal', (evidence, now) => renderTerminal(evidence, { color: false, now })],
  ])('%s shows what the phase has taken by now', (_name, render) => {
    expect(render(beginsToWait(), later(3 * minute))).toContain('3 min of 15 min');
  });

  test('the page says how much of it was waiting for people', () => {
    const page = words(renderHtml(beginsToWait(), { now: later(3 * minute) }));
    expect(page).toMatch(/Waiting for people 3 min/);
    expect(page).toContain('3 min waiting for people');
  });
});

test('a forecast is never in the past, also when a step takes longer than it ever did', () => {
  const evidence: Evidence = { ...beginsToWait(), approvals: [] };
  expect(seenAt(evidence, later(30 * minute)).forecast?.endsAt).toBe(later(30 * minute));
  expect(forecastSentence(seenAt(evidence, later(0)))).toContain('ends about');
});

test('a forecast of a worker that said nothing of the moment of recovery keeps how late it said to be', () => {
  const evidence = waiting();
  expect(evidence.forecast).not.toHaveProperty('recoveredAt');
  expect(seenAt(evidence, later(minute)).forecast?.lateByMs).toBe(evidence.forecast?.lateByMs);
});

test('what was forecast in the run, looked at later, is what it would forecast then', () => {
  const evidence = beginsToWait();
  const made = forecast(evidence, [], asked);
  if (made === undefined) throw new Error('there is no forecast');
  const then = forecast(evidence, [], asked + 5 * minute);
  expect(seenAt({ ...evidence, forecast: made }, later(5 * minute)).forecast).toEqual(then);
});

test('a run that is over moves no more; one that was terminated while it waited has its waiting counted to its end', () => {
  const over = cutOff(beginsToWait(), { status: 'terminated', endedAt: later(4 * minute) });
  expect(over.phases[0]).toMatchObject({ peopleMs: 4 * minute });
  expect(over.phases[0]).not.toHaveProperty('peopleSince');
  expect(seenAt(over, later(60 * minute))).toEqual(over);
});

test('whatever a store holds can be looked at', () => {
  fc.assert(fc.property(hostileEvidence, (evidence) => void seenAt(evidence, later(0))));
});

describe('once the quorum is there', () => {
  const agreed = (): Evidence => {
    const evidence = waiting();
    return { ...evidence, approvals: evidence.approvals?.map((one) => ({ ...one, quorum: 1 })) ?? [] };
  };

  test('nobody is sent for any more: the facts are being read again', () => {
    const [one] = awaitedOf(agreed());
    if (one === undefined) throw new Error('nothing is open');
    expect(one).toMatchObject({ agreed: true, waitsFor: [] });
    expect(whoWords(one)).toContain('approved: its facts are being read once more');
    expect(whenWords(one, new Date(asked))).not.toContain('left');
    expect(commandWords('orders-7f3a', one)).toBeUndefined();
  });

  test('the time until they were read is the machine\u2019s, and the end does not move on for people', () => {
    const evidence = { ...agreed(), forecast: { at: later(10 * minute), endsAt: later(60 * minute), how: '' } };
    expect(seenAt(evidence, later(20 * minute)).forecast?.endsAt).toBe(later(60 * minute));
  });
});
