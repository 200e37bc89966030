/** The marks of Markdown (CommonMark with GitHub's tables), and text that cannot become one. */
import { oneLine, visible } from '../text.ts';

/** Text in a line or a cell of a table: what Markdown or HTML would read as markup is shown instead. */
export function plain(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]<>#|~&$]/g, (mark) => `\\${mark}`)
    .replace(/(https?):|(www)\./gi, (link) => `${link.slice(0, -1)}&#${link.charCodeAt(link.length - 1)};`)
    .replace(/@/g, '&#64;');
}

/** A code span; what could end it or its cell is shown as plain text. */
export function code(text: string): string {
  const clean = oneLine(text);
  return clean === '' || /[`|]/.test(clean) ? plain(clean) : `\`${clean}\``;
}

/** A block of lines that its own text cannot end. */
export function block(text: string, language = ''): string {
  const clean = visible(text);
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${clean}\n${fence}`;
}

export function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
