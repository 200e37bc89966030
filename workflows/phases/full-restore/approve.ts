/** What comes back, how far, and what is lost: proven beside first, and put to people before it becomes the service. */
import type { Subject } from '../../../evidence/people.ts';
import { failure } from '../../runbook/failure.ts';
import { connectionTo } from '../recovery/loss.ts';
import { membersOf, placeOf, type Restoring } from '../recovery/recovering.ts';
import type { Reached } from '../recovery/restore.ts';
import { type Lost, lostInWords } from './loss.ts';
import { lyingInWords } from './lost.ts';
import type { RestoreRun } from './restore-run.ts';

export const bringBackApproval = 'Bring the database back';

/** A restored server would start with what came with the backup: whether it can is known before anybody is asked. */
export async function configured(run: RestoreRun, restoring: Restoring): Promise<void> {
  await run.together(
    ...membersOf(restoring).map(
      (member) => () =>
        run.prove(`The configuration is there on ${member.host}`, () =>
          run
            .host(member.host)
            .ownConfiguration({ member, scratch: placeOf(run, member).scratch, backups: run.plan.backups.physical }),
        ),
    ),
  );
}

export async function bringBack(run: RestoreRun, restoring: Restoring, reached: Reached, lost: Lost): Promise<void> {
  await run.approval(bringBackApproval, () => factsToApprove(run, restoring, reached, lost));
}

/** Asked of the servers themselves, each time. */
async function factsToApprove(
  run: RestoreRun,
  restoring: Restoring,
  { way, tables }: Reached,
  lost: Lost,
): Promise<{ subject: Subject; shown: Subject }> {
  const { primary, standbys, lies } = restoring;
  const { scratch } = placeOf(run, primary);
  const { lsn, timeline } = await run.host(primary.host).endOfRecovery({ scratch });
  const { at, target } = way.located;
  const found = membersOf(restoring).map((member) => {
    const there = lies?.[member.host];
    if (there === undefined) throw failure('Bug', `nobody has looked what lies on ${member.host}`);
    return [`found on ${member.host}`, lyingInWords(member, there, placeOf(run, member).setAside)];
  });
  return {
    subject: {
      target: `${way.said}: ${target.lsn}`,
      'restored up to': `${lsn} on timeline ${timeline}${at === undefined ? '' : `, committed ${at}`}`,
      backup: `${way.backup.label}, ended ${way.backup.stoppedAt}`,
      lost: lostInWords(lost, at),
      ...Object.fromEntries(tables.map(({ table, rows }) => [`rows of ${table}`, `${rows}`])),
      ...Object.fromEntries(found),
      primary: primary.host,
      configuration: 'the one that came with the backup, with the port of the plan',
    },
    shown: {
      'see for yourself': `on ${primary.host}: ${await connectionTo(run, restoring)}`,
      'can be undone': 'until the front door is opened: what was put in place is taken away again',
      'what happens next': `the restored servers take their places on ${[primary, ...standbys].map(({ host }) => host).join(' and ')}; ${primary.host} is started as the primary; then the front door opens`,
    },
  };
}
