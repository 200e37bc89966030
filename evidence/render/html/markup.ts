/** Markup that can only be made by `html`, which escapes every text that is put into it: what is not escaped does not compile. */
import { visible } from '../text.ts';

export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }
}

type Part = Markup | string | number | false | undefined | readonly Part[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function sourceOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.source;
  if (typeof part === 'object') return part.map(sourceOf).join('');
  return escaped(String(part));
}

/** A template whose own text is markup; its values are text (escaped) or markup, in quoted attributes or as content. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.map((string, index) => string + sourceOf(parts[index])).join(''));
}

// ISO times, labels of backups, LSNs: broken over two lines they are misread, and cannot be searched for.
const exact = /\d{4}-\d\d-\d\dT[\d:.]+Z|\b\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?|\b[0-9A-F]{1,8}\/[0-9A-F]{1,8}\b/g;

/** Prose in which such words are kept in one piece. */
export function prose(text: string): Markup {
  const parts: Markup[] = [];
  let from = 0;
  for (const { 0: word, index } of text.matchAll(exact)) {
    parts.push(html`${text.slice(from, index)}<span class="whole">${word}</span>`);
    from = index + word.length;
  }
  return html`${parts}${text.slice(from)}`;
}
