/** What Temporal is given to start a run, whether a person asks for it now or a schedule at its time. */
import { runbooks } from '../workflows/messages.ts';
import type { Order } from './engine/engine.ts';
import type { Wanted } from './input.ts';

export function orderOf(wanted: Wanted): Order {
  const { runbook, input } = wanted;
  return { type: runbooks[runbook], prefix: input.service ?? runbook, input, summary: summaryOf(wanted) };
}

/** `Monthly drill of orders (drill)`: the one line that the Temporal UI shows beside the run. */
export function summaryOf({ runbook, input, mode }: Wanted): string {
  const words = runbook.replaceAll('-', ' ');
  const title = `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  return `${title}${input.service === undefined ? '' : ` of ${input.service}`} (${mode})`;
}
