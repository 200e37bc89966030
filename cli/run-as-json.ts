import type { Ending } from './engine/engine.ts';

/** A run that has ended as one JSON document: its summary where it has one. */
export function runAsJson(run: string, ending: Ending): object {
  const { status, summary, failure, written } = ending;
  return { run, status, ...(summary ?? { ...(failure === undefined ? {} : { failure }), ...written }) };
}
