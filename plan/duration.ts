import ms, { type StringValue } from 'ms';

const pattern = /^(\d+(?:\.\d+)?\s*(?:ms|s|m|h|d|w)\s*)+$/;

/** `15m`, `4h`, `1h30m` in milliseconds; `undefined` when the text is not a duration. */
export function durationMs(text: string): number | undefined {
  if (!pattern.test(text.trim())) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)/g)].reduce(
    (sum, [, number, unit]) => sum + ms(`${number}${unit}` as StringValue),
    0,
  );
}
