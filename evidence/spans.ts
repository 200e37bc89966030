/** Time taken apart: which of it was spent waiting for people. Spans may overlap; nothing is counted twice. */
import { winner } from './approvals.ts';
import type { Evidence } from './evidence.ts';
import type { Approval, Decision } from './people.ts';

/** From and to, milliseconds since 1970. */
export type Span = [from: number, to: number];

/** When the run waited for people. @param now of what is still open; without it, that is left out */
export function waitingForPeople({ approvals = [], decisions = [] }: Evidence, now?: number): Span[] {
  return [...approvals, ...decisions].flatMap((question): Span[] => {
    const from = Date.parse(question.openedAt);
    const answered = answeredAt(question);
    const to = answered === undefined ? (now ?? Number.NaN) : Date.parse(answered);
    return Number.isFinite(from) && Number.isFinite(to) && to > from ? [[from, to]] : [];
  });
}

/** With the last answer that was needed; what follows until an approval is closed, the facts being read again, is the machine's time. */
function answeredAt(question: Approval | Decision): string | undefined {
  const agreed = 'quorum' in question && winner(question) !== undefined;
  return (agreed ? question.clicks.findLast(({ counted }) => counted)?.at : undefined) ?? question.closedAt;
}

/** Milliseconds between two moments in which nobody was waited for. */
export function machineMs(people: readonly Span[], from: number, to: number): number {
  return Math.max(0, to - from - overlapMs(people, from, to));
}

/** Milliseconds between two moments that at least one of the spans covers. */
export function overlapMs(spans: readonly Span[], from: number, to: number): number {
  const clipped = spans
    .map(([start, end]): Span => [Math.max(start, from), Math.min(end, to)])
    .filter(([start, end]) => end > start)
    .sort(([a], [b]) => a - b);
  let covered = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [start, end] of clipped) {
    covered += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return covered;
}
