/** A message as plain text: for a webhook, and for what Slack shows where it shows no blocks. */
import type { Evidence } from '../../evidence/evidence.ts';
import { clipped, oneLine } from '../../evidence/render/text.ts';
import type { Message } from '../contract.ts';
import { fitting, inert } from './slack-text.ts';

/** Characters. A message is to be read on a telephone. */
const longestHeadline = 300;
const longestLine = 1_000;
const longestText = 3_500;

/** The same in each attempt: by it a message is known again. After a reset that of the thread's beginning is the same, too. */
export function keyOf({ runId }: Pick<Evidence, 'runId'>, id: string): string {
  return `${runId}/posts/${id}`;
}

type Words = Pick<Message, 'headline' | 'lines' | 'url'>;

export function plainText({ headline, lines, url }: Words): string {
  return clipped(
    [
      clipped(oneLine(headline), longestHeadline),
      ...lines.map(({ label, text }) => `${oneLine(label)}: ${clipped(oneLine(text), longestLine)}`),
      ...(url === undefined ? [] : [url]),
    ].join('\n'),
    longestText,
  );
}

/** The same for Slack: nothing in it may call people or lead elsewhere; those who are to be called are named first. */
export function slackText({
  headline,
  lines,
  slackIds = {},
}: Omit<Words, 'url'> & Partial<Pick<Message, 'slackIds'>>): string {
  const calls = Object.values(slackIds).filter((id) => /^[UW][A-Z0-9]+$/.test(id));
  return fitting(
    [
      [...calls.map((id) => `<@${id}>`), inert(headline, longestHeadline)].join(' '),
      ...lines.map(({ label, text }) => `${inert(label, 90)}: ${inert(text, longestLine)}`),
    ].join('\n'),
    longestText,
  );
}
