import type { RunState } from '../engine/engine.ts';
import type { Terminal } from '../terminal.ts';
import type { Pace, Viewer } from './follow.ts';
import { quiet } from './screen.ts';

/** For a question whose answer may take long: on stderr, now and then, what is waited for. */
export function patient(
  terminal: Terminal,
  address: string,
  { signOfLife: { afterMs, everyMs } }: Pace,
  waitsFor: (state: RunState) => string,
): Viewer {
  let next = performance.now() + afterMs;
  return {
    ...quiet(terminal, address),
    saw({ state }) {
      if (performance.now() < next) return;
      terminal.message(waitsFor(state));
      next = performance.now() + everyMs;
    },
  };
}
