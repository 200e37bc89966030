/** What people are shown before a standby's directory is given up. */
import type { Subject } from '../../../evidence/people.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Rebuild } from './choose.ts';

/** The name of the approval, wherever it is asked. */
export const replaceTheStandby = 'Replace the standby';

/** What is lost is what the standby has written beside the primary; a directory that is gone, or only behind, loses nothing. */
export function needsApproval({ way, setAside }: Rebuild): boolean {
  return way === 'rewind' || setAside !== undefined;
}

function whatBecomesOfRows(setAside: string | undefined, wasPrimary: boolean): string {
  if (!wasPrimary)
    return 'are not written down: it has run as a standby since, and only a primary can be read on a copy';
  return setAside === undefined
    ? 'are not written down, for a rewind keeps nothing: start it with "way": "restore" where they are to be'
    : 'are written down afterwards, as a ledger in the evidence store: what becomes of them is for people to say';
}

export async function factsToApprove(run: Run, rebuild: Rebuild): Promise<{ subject: Subject; shown: Subject }> {
  const { who, way, follow, setAside, ownWrites, wasPrimary, backup } = rebuild;
  const { standby, primary } = who;
  const now = await run.host(standby.host).standbyFound({ member: standby, replication: who.replication });
  if (now.runs === 'primary')
    throw failure(
      'SplitBrain',
      `${standby.host} was started, and says that it is a primary, beside ${primary.host}. Stop one of them first.`,
    );
  return {
    subject: {
      standby: standby.host,
      primary: primary.host,
      timeline: follow.timeline,
      'system identifier': follow.left.systemIdentifier,
      way,
      ...(backup === undefined ? {} : { backup: backup.label }),
      'is lost': ownWrites?.words ?? 'nothing: it has written nothing beside the primary',
      'the old directory':
        setAside === undefined ? 'is rewound where it is, and is not kept' : 'is set aside, and kept',
      'stands at':
        now.past === undefined
          ? 'nowhere that could be read'
          : `${now.past.left.lsn} on timeline ${now.past.left.timeline}`,
    },
    shown: {
      ...(setAside === undefined ? {} : { 'the old directory becomes': setAside }),
      ...(ownWrites === undefined ? {} : { 'its rows': whatBecomesOfRows(setAside, wasPrimary) }),
      'it now': now.runs === 'no' ? 'is stopped' : 'runs, and is stopped for it',
      'can be undone':
        setAside === undefined
          ? 'not once pg_rewind has begun'
          : 'until the run has ended: the old directory comes back',
      'what happens next': `${standby.host} is made a standby of ${primary.host} again, compared with it, and started; of ${primary.host} only a slot is changed`,
    },
  };
}
