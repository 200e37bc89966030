/** What is said where there is no report to show. */
import { html } from '../../evidence/render/html/markup.ts';
import { page } from '../../evidence/render/html/page.ts';

export interface Message {
  title: string;
  lines: string[];
  /** Look again after this time, milliseconds. */
  refreshMs?: number;
}

export function messagePage({ title, lines, refreshMs }: Message): string {
  return page({
    title: `Lifeboat: ${title}`,
    about: html`<b>Lifeboat</b>`,
    links: [{ href: '/', text: 'All runs' }],
    main: html`<h1 class="page">${title}</h1>
${lines.map((line) => html`<p class="lines">${line}</p>`)}`,
    ...(refreshMs === undefined ? {} : { refreshMs }),
  });
}
