/** The way back: the cheapest that the facts allow, or the one that was asked for. */
import type { Following, StoppedAt } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { formatNumberOf } from '../../../evidence/format.ts';
import { backupsOn, reachedFrom } from '../../../plan/sites.ts';
import type { BackupInfo, Lsn } from '../../../recovery/archive.ts';
import {
  type Around,
  besideOf,
  divergence,
  isWell,
  strays,
  type Way,
  wayBack,
  ways,
} from '../../../recovery/rebuild.ts';
import { backupFor, objections } from '../../../recovery/ways-back.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Who } from './assess.ts';

/** What the standby has written beside the primary, and loses. */
export interface OwnWrites {
  from: Lsn;
  upTo: Lsn;
  timeline: number;
  transactions: number;
  words: string;
}

export interface Rebuild {
  who: Who;
  way: Way;
  follow: Following;
  /** Of a restore. */
  backup?: BackupInfo;
  /** Where the old directory is kept, when one is set aside. */
  setAside?: string;
  ownWrites?: OwnWrites;
  /** Segments of its own that pg_rewind needs, and that it has no more. */
  fetch: string[];
  /** Where the primary wrote when it was assessed. */
  primaryAt: Lsn;
  segmentBytes: number;
  serverVersion: number;
  /** It ran as a primary last: what it has written alone is nowhere else. */
  wasPrimary: boolean;
  /** It ran as a standby. */
  ran: boolean;
  hadSlot: boolean;
}

const inWords: Record<Way, string> = {
  reattach: 're-attach it',
  rewind: 'pg_rewind',
  restore: 'restore it from the repository',
  basebackup: 'pg_basebackup from the primary',
};

/**
 * @param asked the way that it comes back, whatever cheaper one there is
 * @returns undefined when nothing has to be done
 */
export async function chooseWay(
  run: Run,
  who: Who,
  around: Around,
  asked: Way | undefined,
): Promise<Rebuild | undefined> {
  if (asked === undefined && isWell(around)) {
    await run.check('The way back is chosen', async () => ({
      found: `none is needed: ${who.standby.host} streams from ${who.primary.host}, on its timeline`,
      expected: 'the cheapest way that the facts allow',
    }));
    return undefined;
  }
  const against = objections(around);
  let fetch: string[] = [];
  if (against.rewind.length === 0) {
    const rehearsed = await run.check('pg_rewind finds its way back', () => rehearse(run, who, around));
    if (!rehearsed.possible) against.rewind.push(rehearsed.found);
    fetch = rehearsed.fetch;
  }
  const { way } = await run.check('The way back is chosen', async () => chosen(asked, who, against));
  const ownWrites = await writesOf(run, who, around);
  return { ...rebuildBy(run, who, around, way), fetch, ...(ownWrites === undefined ? {} : { ownWrites }) };
}

async function rehearse(run: Run, who: Who, { standby: { past }, primary }: Around) {
  const from = past === undefined ? undefined : divergence(past, primary);
  if (past === undefined || from === undefined)
    return { possible: false, fetch: [], found: 'it has not left the line' };
  const { standby: member, replication, scratch } = who;
  return run.host(member.host).canRewind({
    ...{ member, replication, scratch, from },
    primary: reachedFrom(run.plan, who.primary, who.standby.host),
    backups: backupsOn(run.plan, who.primary.host),
    way: wayBack(past, from, primary.segmentBytes),
  });
}

function chosen(asked: Way | undefined, { standby }: Who, against: Record<Way, string[]>): Found & { way: Way } {
  const way = asked ?? ways.find((one) => against[one].length === 0);
  const told = (all: readonly Way[]) => all.map((one) => `${inWords[one]}: ${against[one].join(', and ')}`).join('; ');
  if (way === undefined)
    throw failure(
      'StandbyUnfit',
      `there is no way back for ${standby.host}. ${told(ways)}. Remove one of these causes, then start again.`,
    );
  if (against[way].length > 0)
    throw failure(
      'StandbyUnfit',
      `${standby.host} cannot come back by "way": "${way}": ${against[way].join(', and ')}. Leave the way out to see which one is possible.`,
    );
  const cheaper = asked === undefined ? ways.slice(0, ways.indexOf(way)) : [];
  return {
    way,
    found: `${inWords[way]}${asked === undefined ? '' : ', as it was asked for'}${cheaper.length === 0 ? '' : `. Not ${told(cheaper)}`}`,
    expected: 'the cheapest way that the facts allow',
  };
}

async function writesOf(
  run: Run,
  { standby, primary: to, scratch }: Who,
  { standby: { past }, primary, archive }: Around,
): Promise<OwnWrites | undefined> {
  const from = past === undefined ? undefined : divergence(past, primary);
  if (past === undefined || from === undefined) return undefined;
  const { timeline, reached: upTo } = past;
  const ask = { member: standby, timeline, from, own: wayBack(past, from, primary.segmentBytes).own, scratch };
  const backups = 'repository' in archive ? { backups: backupsOn(run.plan, to.host) } : {};
  return run.check('It is known what the standby has written beside the primary', async () => {
    const { transactions, whole, found } = await run.host(standby.host).writesAfter({ ...ask, ...backups });
    run.measure(
      'transactions of the standby alone',
      transactions,
      'count',
      `committed after ${from} on timeline ${timeline}, which the primary never had`,
    );
    const count = `${whole ? '' : 'at least '}${formatNumberOf(transactions, 'transaction')}`;
    return { from, upTo, timeline, transactions, words: `${count}, ${from} to ${upTo} on timeline ${timeline}`, found };
  });
}

function rebuildBy(run: Run, who: Who, around: Around, way: Way): Omit<Rebuild, 'fetch'> {
  const { standby, primary, archive } = around;
  const foreign = strays(around);
  const left: StoppedAt = standby.past?.left ?? {
    lsn: '0/0',
    timeline: primary.timeline,
    systemIdentifier: primary.systemIdentifier,
  };
  const backup = way === 'restore' && 'repository' in archive ? backupFor(archive.repository, primary) : undefined;
  const replaces = (way === 'restore' || way === 'basebackup') && standby.directory !== 'gone';
  return {
    who,
    way,
    follow: {
      member: who.standby,
      primary: reachedFrom(run.plan, who.primary, who.standby.host),
      replication: who.replication,
      slot: who.slot,
      backups: backupsOn(run.plan, who.primary.host),
      timeline: primary.timeline,
      left,
      ...(foreign.length === 0 ? {} : { line: String(primary.timeline) }),
    },
    ...(backup === undefined ? {} : { backup }),
    ...(replaces ? { setAside: besideOf(who.standby.dataDirectory, 'before', who.run) } : {}),
    primaryAt: primary.lsn,
    segmentBytes: primary.segmentBytes,
    serverVersion: primary.serverVersion,
    wasPrimary: standby.past?.as === 'primary',
    ran: standby.runs === 'standby',
    hadSlot: primary.slot !== undefined && !primary.slot.lost,
  };
}
