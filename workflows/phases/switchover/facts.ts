/** What people are shown before they say yes. */
import { formatBytes } from '../../../evidence/format.ts';
import type { Subject } from '../../../evidence/people.ts';
import { lagBytes } from '../../../recovery/switchover.ts';
import type { Run } from '../../runbook/run.ts';
import { factsOf, type Pair } from './pair.ts';

/** A yes is bound to the subject: who changes places with whom. What moves from second to second is only shown. */
export async function factsToApprove(run: Run, pair: Pair): Promise<{ subject: Subject; shown: Subject }> {
  const { primary, standby } = await factsOf(run, pair);
  const logical = primary.slots.filter(({ kind }) => kind === 'logical').map(({ name }) => name);
  return {
    subject: {
      from: pair.from.host,
      to: pair.to.host,
      timeline: primary.timeline,
      'system identifier': primary.systemIdentifier,
      ...(logical.length === 0 ? {} : { 'logical slots that stay behind': logical.join(', ') }),
    },
    shown: {
      'the standby is behind by': formatBytes(lagBytes(primary, standby)),
      'sessions that will be ended': primary.sessions,
      'files that wait for the archive': primary.archiver.waiting,
      'last backup': pair.lastBackup,
      'expected gap': 'writes stop for some seconds: until the primary has stopped and the standby is promoted',
      'can be undone': `until ${pair.to.host} is promoted`,
      'what happens next': `the front door is closed, ${pair.from.host} stopped, ${pair.to.host} promoted, the door opened to it; then ${pair.from.host} comes back as its standby`,
    },
  };
}
