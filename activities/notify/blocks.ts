/** A message as Slack lays it out: a question with its buttons, anything else as how the run stands. */
import type { KnownBlock } from '@slack/types';
import type { Evidence } from '../../evidence/evidence.ts';
import { waitingFor } from '../../evidence/status.ts';
import type { Message } from '../contract.ts';
import { approvalBlocks, decisionBlocks, statusBlocks } from './slack-blocks.ts';

export function blocksOf(run: Evidence, { approval, decision, headline, lines, slackIds, url }: Message): KnownBlock[] {
  const around = { slackIds, ...(url === undefined ? {} : { page: url }) };
  if (approval !== undefined) return approvalBlocks(run, approval, around);
  if (decision !== undefined) return decisionBlocks(run, decision, around);
  // The blocks say themselves who is waited for, and call them: it need not be said twice.
  const said =
    waitingFor(run, {}) === '' ? lines : lines.filter(({ label }) => label !== 'Waiting for' && label !== 'Asked');
  return statusBlocks(run, { headline, lines: said }, around);
}
