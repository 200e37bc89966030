/** Bars. Drawn as SVG with widths in percent, so that no inline style is needed; what they show also stands beside them in words. */
import type { Tone } from '../words.ts';
import { html, type Markup } from './markup.ts';

/** A share that is not nothing must be seen. */
const leastPercent = 0.7;

export function percent(share: number): string {
  return `${Number((Math.min(1, Math.max(0, share)) * 100).toFixed(3))}%`;
}

function seen(share: number): number {
  return share > 0 ? Math.max(share, leastPercent / 100) : 0;
}

/** `ratio` of something to what was promised; beyond 1 the promise is shown as a mark inside of the bar. */
export function objectiveBar(ratio: number, tone: Tone): Markup {
  const known = Number.isFinite(ratio) ? Math.max(0, ratio) : 0;
  const mark = known > 1 && html`<rect class="mark" x="${percent(1 / known)}" width="2" height="100%"/>`;
  return html`<svg class="bar ${tone}" aria-hidden="true"><rect width="${percent(seen(known))}" height="100%"/>${mark}</svg>`;
}

export interface Part {
  name: 'machine' | 'retries' | 'people';
  ms: number;
}

/** Parts of a time one after another on a budget; a budget that is overrun is shown as a mark. */
export function budgetTrack(parts: readonly Part[], budgetMs: number, going: boolean): Markup {
  const used = parts.reduce((sum, part) => sum + part.ms, 0);
  const full = Math.max(budgetMs, used, 1);
  let from = 0;
  const rects = parts
    .filter((part) => part.ms > 0)
    .map((part) => {
      const x = from;
      from += seen(part.ms / full);
      return html`<rect class="${part.name}${going ? ' going' : ''}" x="${percent(x)}" width="${percent(seen(part.ms / full))}" height="100%"/>`;
    });
  const mark = used > budgetMs && html`<rect class="mark" x="${percent(budgetMs / full)}" width="2" height="100%"/>`;
  return html`<svg class="track" aria-hidden="true">${rects}${mark}</svg>`;
}

/** Where something lies in a whole that lasts `lengthMs`; never beyond its end. */
export function place(fromMs: number, tookMs: number, lengthMs: number): { x: string; width: string } {
  const from = Math.min(1, Math.max(0, fromMs / lengthMs));
  return { x: percent(from), width: percent(Math.min(1 - from, tookMs / lengthMs)) };
}
