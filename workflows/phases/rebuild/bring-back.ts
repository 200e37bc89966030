/** The four ways. Each leaves a server that is stopped, on the primary's line, and can only start as a standby of it. */
import type { Exchange } from '../../../activities/contract.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { Change } from '../../runbook/change.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Rebuild } from './choose.ts';
import { restoreAndProve } from './restore.ts';

/** Its undo gives the old directory back, whatever has become of the new one. */
export const placeStep = 'Put the new directory in the place of the old one';

export async function bringBack(run: Run, rebuild: Rebuild): Promise<void> {
  const { who, way, backup } = rebuild;
  await run.change('Keep a slot for the standby', keepSlot(run, rebuild));
  if (way === 'reattach') return void (await run.change('Let the standby follow the primary', reattach(run, rebuild)));
  if (way === 'rewind')
    return void (await run.change("Rewind the standby onto the primary's line", rewind(run, rebuild)));
  if (way === 'basebackup') {
    await run.change('Copy the primary', copyPrimary(run, rebuild));
    return void (await run.change(placeStep, takePlace(run, rebuild, {})));
  }
  if (backup === undefined) throw failure('Bug', 'a restore was chosen, and no backup');
  const { scratch } = who;
  const left = await restoreAndProve(run, rebuild, backup);
  await run.change(placeStep, takePlace(run, rebuild, { restored: { scratch, left } }));
  run.afterwards('Nothing is left of the restore', () => run.host(scratch.host).removeScratch({ scratch }));
}

function keepSlot(run: Run, { who, hadSlot }: Rebuild): Change<unknown> {
  const ask = { member: who.primary, slot: who.slot };
  return {
    preview: async () => ({
      will: hadSlot
        ? `leave slot ${who.slot} on ${who.primary.host} as it is: it keeps what ${who.standby.host} has not seen`
        : `make slot ${who.slot} on ${who.primary.host}, which keeps the WAL that ${who.standby.host} will ask for`,
      yields: undefined,
    }),
    apply: () => run.host(who.primary.host).keepSlot(ask),
    undo: async () => (hadSlot ? { found: 'it was there before' } : run.host(who.primary.host, 3).dropSlot(ask)),
  };
}

function reattach(run: Run, { who, follow }: Rebuild): Change<unknown> {
  const { standby, primary } = who;
  return {
    preview: async () => ({
      will: `stop ${standby.host} if it runs, and write primary_conninfo (${primary.host}), slot ${who.slot} and restore_command there`,
      yields: undefined,
    }),
    apply: () => run.host(standby.host).reattach(follow),
    undo: { pointOfNoReturn: `${standby.host} can only start as a standby of ${primary.host}, which it is.` },
  };
}

function rewind(run: Run, { who, follow, fetch }: Rebuild): Change<unknown> {
  const { standby, primary } = who;
  return {
    preview: async () => ({
      will: `rewind ${standby.dataDirectory} on ${standby.host} by pg_rewind, out of everybody's reach, and give it back its own configuration`,
      yields: undefined,
    }),
    apply: () => run.host(standby.host).rewind({ ...follow, run: who.run, fetch }),
    undo: {
      pointOfNoReturn: `What ${standby.host} had written beside ${primary.host} is gone; it can only start as its standby.`,
    },
  };
}

function copyPrimary(run: Run, { who, follow }: Rebuild): Change<unknown> {
  const { standby, primary } = who;
  return {
    preview: async () => ({
      will: `copy ${primary.host} by pg_basebackup into a directory beside ${standby.dataDirectory} on ${standby.host}`,
      yields: undefined,
    }),
    apply: async () => {
      const started = Date.now();
      const copied = await run.host(standby.host).copyPrimary({ ...follow, run: who.run });
      run.measure('copy of the primary', Date.now() - started, 'ms', 'pg_basebackup, from its start to its end');
      return copied;
    },
    undo: () => run.host(standby.host).removeCopy({ member: standby, run: who.run }),
  };
}

function takePlace(
  run: Run,
  { who, follow, setAside, ran, backup }: Rebuild,
  from: Pick<Exchange, 'restored'>,
): Change<unknown> {
  const { standby, primary } = who;
  const exchange = { member: standby, run: who.run, ...from };
  const size = backup === undefined ? '' : ` (${formatBytes(backup.bytes)})`;
  return {
    preview: async () => ({
      will: `${setAside === undefined ? '' : `stop ${standby.host} if it runs, set ${standby.dataDirectory} aside as ${setAside}, and `}put the new directory${size} in its place: a rename, nothing is copied`,
      yields: undefined,
    }),
    apply: () => run.host(standby.host).takePlace({ ...follow, ...exchange }),
    undo: () => run.host(standby.host).giveBack({ ...exchange, backups: follow.backups, primary: primary.host, ran }),
  };
}
