import { styleText } from 'node:util';

export type Style = 'bold' | 'green' | 'red' | 'yellow';
export type Ink = (text: string, style: Style) => string;

/** Paints only where a person looks on. */
export function inkFor({ color }: { color: boolean }): Ink {
  return (text, style) => (color && text !== '' ? styleText(style, text) : text);
}
