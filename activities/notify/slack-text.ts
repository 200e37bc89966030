/** Words of others in Slack's mrkdwn: nothing in them may format, link, or call anybody. */
import type { MrkdwnElement, PlainTextElement } from '@slack/types';
import { clipped, oneLine } from '../../evidence/render/text.ts';

/** What Block Kit takes, in characters. https://docs.slack.dev/reference/block-kit */
export const limits = {
  blocks: 50,
  header: 150,
  section: 3000,
  field: 2000,
  fields: 10,
  contextElements: 10,
  context: 3000,
  actions: 25,
  button: 75,
  buttonValue: 2000,
  actionId: 255,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
} as const;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Slack knows no other escapes than these three. https://docs.slack.dev/messaging/formatting-message-text */
function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character] ?? '');
}

/** What would format is shown by a sign that looks like it: there is no escape for it. */
const lookAlikes: Record<string, string> = { '*': '∗', _: 'ˍ', '~': '∼', '`': 'ˋ' };

/** Prose of others within mrkdwn. */
export function inert(text: string, length = 300): string {
  return escaped(clipped(oneLine(text), length).replace(/[*_~`]/g, (character) => lookAlikes[character] ?? ''));
}

/** A value that must be read exactly: LSNs, names, paths. Only the backtick would end it. */
export function exact(text: string | number, length = 300): string {
  const shown = clipped(oneLine(String(text)), length).replaceAll('`', 'ˋ');
  return shown === '' ? '(empty)' : `\`${escaped(shown)}\``;
}

/** `verbatim`: Slack looks for no links, channels and names in it. */
export function mrkdwn(text: string, length: number = limits.section): MrkdwnElement {
  return { type: 'mrkdwn', text: fitting(text, length), verbatim: true };
}

export function plain(text: string, length: number): PlainTextElement {
  return { type: 'plain_text', text: clipped(oneLine(text), length) || '-', emoji: false };
}

/**
 * Whole lines up to a length: cut in the middle, an escape or a code span would fall apart. A first line that is too long alone
 * is left out too.
 */
export function fitting(text: string, length: number): string {
  if (text.length <= length) return text;
  const lines: string[] = [];
  let left = length - 2;
  for (const line of text.split('\n')) {
    if (line.length + 1 > left) break;
    lines.push(line);
    left -= line.length + 1;
  }
  return [...lines, '…'].join('\n');
}
