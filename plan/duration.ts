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

const units = [
  ['d', 24 * 60 * 60 * 1000],
  ['h', 60 * 60 * 1000],
  ['m', 60 * 1000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** As a plan writes it: `1h30m`. */
export function durationText(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  const parts = units.map(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
