/** What people are shown before a standby takes over. */
import type { Subject } from '../../../evidence/people.ts';
import { backupsOn } from '../../../plan/sites.ts';
import { inWords, limitsOf } from './fence.ts';
import { estimate } from './loss.ts';
import type { FailoverRun, Fenced, Lost } from './lost.ts';
import { nobodySees } from './vantage.ts';

/** Read anew when the quorum is there: a primary that is back meanwhile ends the run. */
export async function factsToApprove(
  run: FailoverRun,
  lost: Lost,
  { until }: Fenced,
): Promise<{ subject: Subject; shown: Subject }> {
  const { from, to, others, silent, fence, timeline, systemIdentifier } = lost;
  const { words: own } = await nobodySees(run, { from, standbys: [to, ...others], silent });
  const { lsn } = await run.host(to.host).serverFacts({ member: to, backups: backupsOn(run.plan, to.host) });
  const { words: loss } = await estimate(run, { timeline, replayed: lsn });
  return {
    subject: {
      from: from.host,
      to: to.host,
      'holds up to': lsn,
      'old timeline': timeline,
      'system identifier': systemIdentifier,
      'fenced by': inWords(fence, from),
    },
    shown: {
      'would be lost': loss,
      'the old primary': own,
      'the fence stops': limitsOf(fence, from),
      ...(until === undefined ? {} : { 'the attestation holds until': until }),
      ...(others.length === 0 ? {} : { 'do not follow by themselves': others.map(({ host }) => host).join(', ') }),
      ...(silent.length === 0 ? {} : { 'do not answer, and may hold more': silent.map(({ host }) => host).join(', ') }),
      'can be undone': `until ${to.host} is promoted`,
      'what happens next': `the front door is closed, ${from.host} fenced, ${to.host} promoted, the door opened to it; then ${from.host} comes back as its standby, if its host answers`,
    },
  };
}
