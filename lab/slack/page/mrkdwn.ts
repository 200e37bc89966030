/** Slack's mrkdwn as HTML: what the app escaped is shown as text, and what it did not takes effect, as it would there. */
import { html, type Markup } from '../../../evidence/render/html/markup.ts';
import { channels, nameOf } from '../workspace.ts';

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/** Those that are written here; any other name stays as it is written, as it does in Slack. */
const emoji: Record<string, string> = { warning: '⚠️' };

const tokens =
  /:(?<sign>[a-z_]+):|`(?<code>[^`\n]+)`|<(?<angle>[^<>\n]+)>|(?<![\w*])\*(?<bold>[^*\n]+)\*(?![\w*])|(?<![\w_])_(?<italic>[^_\n]+)_(?![\w_])|(?<![\w~])~(?<strike>[^~\n]+)~(?![\w~])|(?<line>\n)/g;

export function mrkdwn(text: string): Markup {
  const parts: Markup[] = [];
  let from = 0;
  for (const match of text.matchAll(tokens)) {
    parts.push(html`${decoded(text.slice(from, match.index))}`);
    parts.push(token(match.groups ?? {}));
    from = match.index + match[0].length;
  }
  parts.push(html`${decoded(text.slice(from))}`);
  return html`${parts}`;
}

function token({ sign, code, angle, bold, italic, strike }: Record<string, string | undefined>): Markup {
  if (sign !== undefined) return html`${Object.hasOwn(emoji, sign) ? emoji[sign] : `:${sign}:`}`;
  if (code !== undefined) return html`<code>${decoded(code)}</code>`;
  if (angle !== undefined) return reference(angle);
  if (bold !== undefined) return html`<b>${mrkdwn(bold)}</b>`;
  if (italic !== undefined) return html`<i>${mrkdwn(italic)}</i>`;
  if (strike !== undefined) return html`<s>${mrkdwn(strike)}</s>`;
  return html`<br>`;
}

/** People, channels, calls to everybody, links. */
function reference(angle: string): Markup {
  const [target = '', label] = angle.split('|');
  if (target.startsWith('@')) return html`<span class="mention">@${nameOf(target.slice(1))}</span>`;
  if (target.startsWith('#')) {
    const name = channels.find(({ id }) => id === target.slice(1))?.name ?? target.slice(1);
    return html`<span class="mention">#${name}</span>`;
  }
  if (target.startsWith('!')) return html`<span class="mention everybody">@${target.slice(1)}</span>`;
  if (/^https?:\/\//.test(target)) return html`<a href="${target}" rel="noreferrer">${decoded(label ?? target)}</a>`;
  return html`${decoded(angle)}`;
}

function decoded(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => entities[entity] ?? entity);
}
