import type { Tone } from '../words.ts';

export interface Look {
  color: boolean;
  /** When it is looked at, ISO 8601: a run that goes on shows how long it has. */
  now?: string;
}

const sgr = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export const toneColors = { good: 'green', warn: 'yellow', bad: 'red', calm: 'cyan' } as const satisfies Record<
  Tone,
  keyof typeof sgr
>;

export function paint(text: string, style: keyof typeof sgr, { color }: Look): string {
  return color && text !== '' ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;
}
