/** Blocks as they look, with buttons that work. */
import { html, type Markup } from '../../../evidence/render/html/markup.ts';
import type { Button, Confirm, Input, Text } from '../block-kit.ts';
import type { StoredBlock } from '../workspace.ts';
import { mrkdwn } from './mrkdwn.ts';

/** Where a click on a button of these blocks belongs. */
export interface Place {
  channel: string;
  ts: string;
  /** Number of updates that these blocks have had. */
  version: number;
}

export function blocksOf(blocks: readonly StoredBlock[], place: Place): Markup[] {
  return blocks.map((block) => blockOf(block, place));
}

function blockOf(block: StoredBlock, place: Place): Markup {
  switch (block.type) {
    case 'header':
      return html`<h3>${text(block.text)}</h3>`;
    case 'section':
      return html`<div class="section">${block.text && html`<p>${text(block.text)}</p>`}${block.fields && html`<div class="fields">${block.fields.map((field) => html`<p>${text(field)}</p>`)}</div>`}</div>`;
    case 'context':
      return html`<div class="context">${block.elements.map((element) => html`<span>${text(element)}</span>`)}</div>`;
    case 'divider':
      return html`<hr>`;
    case 'actions':
      return html`<div class="actions">${block.elements.map((element) => (element.type === 'button' ? button(element, block.block_id, place) : ''))}</div>`;
    case 'input':
      return html`<p>${text(block.label)}</p>`;
  }
}

function button(one: Button, block: string, { channel, ts, version }: Place): Markup {
  const dialog = one.confirm === undefined ? undefined : `confirm-${ts}-${block}-${one.action_id}`;
  return html`<button type="button" class="${one.style ?? 'plain'}" data-click data-channel="${channel}" data-ts="${ts}" data-version="${version}" data-block="${block}" data-action="${one.action_id}" data-confirm="${dialog ?? ''}">${one.text.text}</button>${one.confirm && dialog && confirmation(one.confirm, dialog)}`;
}

function confirmation(confirm: Confirm, id: string): Markup {
  return html`<dialog class="confirm" id="${id}" aria-labelledby="${id}-title"><h3 id="${id}-title">${confirm.title.text}</h3><p>${text(confirm.text)}</p><div class="actions"><button type="button" data-deny>${confirm.deny.text}</button><button type="button" class="${confirm.style ?? 'primary'}" data-yes>${confirm.confirm.text}</button></div></dialog>`;
}

/** A field of a dialog, with what the app found wrong with it. */
export function inputOf(block: Input & { block_id: string }, error: string | undefined): Markup {
  const id = `input-${block.block_id}`;
  return html`<div class="input"><label for="${id}">${block.label.text}${block.optional === true && html` <span class="soft">(optional)</span>`}</label>${field(block, id)}${error && html`<p class="error" role="alert">${error}</p>`}${block.hint && html`<p class="soft">${block.hint.text}</p>`}</div>`;
}

function field({ element, block_id: name }: Input & { block_id: string }, id: string): Markup {
  if (element.type === 'plain_text_input') {
    const { placeholder, initial_value = '', multiline } = element;
    if (multiline === true)
      return html`<textarea id="${id}" name="${name}" rows="3" placeholder="${placeholder?.text ?? ''}">${initial_value}</textarea>`;
    return html`<input id="${id}" name="${name}" autocomplete="off" placeholder="${placeholder?.text ?? ''}" value="${initial_value}">`;
  }
  const first = element.initial_option?.value;
  const empty = first === undefined ? [html`<option value=""></option>`] : [];
  const options = element.options.map(({ value, text: words }) =>
    value === first
      ? html`<option value="${value}" selected>${words.text}</option>`
      : html`<option value="${value}">${words.text}</option>`,
  );
  return html`<select id="${id}" name="${name}">${[...empty, ...options]}</select>`;
}

function text(one: Text): Markup {
  return one.type === 'mrkdwn' ? mrkdwn(one.text) : html`<span class="verbatim">${one.text}</span>`;
}
