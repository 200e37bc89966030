/** The workspace as somebody in it sees it: channels, threads, buttons, dialogs. */
import { html, Markup } from '../../../evidence/render/html/markup.ts';
import { app } from '../cast.ts';
import { channels, type Message, members, nameOf, type View, type Workspace } from '../workspace.ts';
import { blocksOf, inputOf } from './blocks.ts';
import { mrkdwn } from './mrkdwn.ts';
import { script } from './script.ts';
import { style } from './style.ts';

export interface Seen {
  workspace: Workspace;
  /** Who looks. */
  as: string;
  channel: string;
  connected: boolean;
}

export function page(seen: Seen): string {
  const { as, channel } = seen;
  const name = channels.find(({ id }) => id === channel)?.name ?? channel;
  return `<!doctype html>\n${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>#${name}: the lab's workspace</title>
<style>${new Markup(style)}</style>
</head>
<body data-as="${as}" data-channel="${channel}">
<aside>
<h1>The lab's workspace</h1>
<p class="soft">A stand-in of Slack for this machine alone.</p>
<label for="as">You are</label>
<select id="as">${members.map(({ id, name: member }) => (id === as ? html`<option value="${id}" selected>${member}</option>` : html`<option value="${id}">${member}</option>`))}</select>
<nav aria-label="Channels">${channels.map((one) => html`<a href="?as=${as}&amp;channel=${one.id}" ${one.id === channel ? html`aria-current="page"` : ''}># ${one.name}</a>`)}</nav>
<p id="connection" class="soft">${seen.connected ? `${app.name} is connected` : `${app.name} is not connected`}</p>
</aside>
<main>
<h2># ${name}</h2>
<div id="messages">${messages(seen)}</div>
<form id="say"><label for="line" class="hidden">Message</label><input id="line" autocomplete="off" placeholder="Message, or /lifeboat status"><button type="submit">Send</button></form>
<p id="trouble" role="status"></p>
</main>
<div id="modal">${openView(seen)}</div>
<script>${new Markup(script)}</script>
</body>
</html>`}`;
}

function messages({ workspace, as, channel }: Seen): Markup[] {
  const here = workspace.messages.filter(
    (one) => one.channel === channel && (one.onlyFor === undefined || one.onlyFor === as),
  );
  const heads = here.filter((one) => one.thread === undefined || !here.some(({ ts }) => ts === one.thread));
  if (heads.length === 0) return [html`<p class="soft">Nothing has been said here yet.</p>`];
  return heads.map((head) => {
    const replies = here.filter(({ thread }) => thread === head.ts);
    return html`<section class="thread">${messageOf(head)}${replies.length > 0 && html`<div class="replies">${replies.map(messageOf)}</div>`}</section>`;
  });
}

function messageOf(message: Message): Markup {
  const { ts, user, text, blocks, onlyFor, edited, channel, earlier } = message;
  const at = new Date(Number(ts) * 1000).toISOString();
  const kind = [onlyFor === undefined ? '' : 'only', user === app.user ? 'app' : ''].join(' ');
  return html`<article class="message ${kind}" id="m${ts}" data-ts="${ts}">
<header><b>${nameOf(user)}</b>${user === app.user && html`<span class="badge">APP</span>`}<time datetime="${at}">${at.slice(11, 19)}Z</time>${edited && html`<span class="soft">edited</span>`}</header>
${onlyFor && html`<p class="eye">Only visible to you</p>`}
<div class="body">${blocks.length === 0 ? html`<p>${mrkdwn(text)}</p>` : blocksOf(blocks, { channel, ts, version: earlier.length })}</div>
</article>`;
}

function openView({ workspace, as }: Seen): Markup | undefined {
  const view = [...workspace.views.values()].find(({ user }) => user === as);
  return view === undefined ? undefined : dialogOf(view);
}

function dialogOf({ id, hash, modal, blocks, errors }: View): Markup {
  const inner = blocks.map((block) =>
    block.type === 'input'
      ? inputOf(block, errors[block.block_id])
      : blocksOf([block], { channel: '', ts: '', version: 0 }),
  );
  return html`<dialog class="modal" data-view="${id}" data-hash="${`${hash}-${JSON.stringify(errors).length}`}" aria-labelledby="modal-title"><form method="dialog">
<h3 id="modal-title">${modal.title.text}</h3>
${errors[''] && html`<p class="error" role="alert">${errors['']}</p>`}
${inner}
<div class="actions"><button type="button" data-close>${modal.close?.text ?? 'Close'}</button>${modal.submit && html`<button type="submit" class="primary">${modal.submit.text}</button>`}</div>
</form></dialog>`;
}
