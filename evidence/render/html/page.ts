/** The shell of every page: one file, nothing loaded from elsewhere; scripts only where there is something to follow. */
import { liveScript } from './live-script.ts';
import { html, Markup } from './markup.ts';
import { style } from './style.ts';

export interface Page {
  title: string;
  /** What stands at the left of the top line. */
  about: Markup;
  links?: { href: string; text: string }[];
  main: Markup;
  footer?: Markup;
  /** Follows the page: milliseconds between two looks. */
  refreshMs?: number;
}

/** Where a script could do harm, none may run, whatever a hostile text would have managed. */
const noScripts = html`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`;

export function page({ title, about, links = [], main, footer, refreshMs }: Page): string {
  const live = refreshMs !== undefined;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${live ? html`<noscript><meta http-equiv="refresh" content="${Math.ceil(refreshMs / 1000) + 3}"></noscript>` : noScripts}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header class="top">
<p>${about}</p>
${links.length > 0 && html`<nav aria-label="Beside this page">${links.map(({ href, text }) => html`<a href="${href}">${text}</a>`)}</nav>`}
</header>
<main${live && html` data-refresh="${refreshMs}"`}>
${main}
</main>
<footer>
${footer}
${live && html`<p id="live" role="status">This page follows what happens.</p>`}
</footer>
${live && html`<script>${new Markup(liveScript)}</script>`}
</body>
</html>
`.source;
}
