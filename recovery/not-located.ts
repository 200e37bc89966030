/** Why a wanted target is no point that a recovery can stop at, and what to write instead. */
import type { Lsn } from './archive.ts';
import type { WantedTarget } from './wanted-target.ts';

interface EndSeen {
  lsn: Lsn;
  at: string;
  transaction: number;
}

/** What went by. */
export interface Seen {
  /** Of the first end of a transaction. */
  firstAt?: string;
  last?: EndSeen;
  /** The newest first half of a two-phase commit. */
  prepared?: EndSeen;
  /** Of restore points, the last few. */
  names: string[];
  /** The wanted transaction, when it did not end in a commit of its own. */
  rolledBack?: EndSeen;
  onlyPrepared?: EndSeen;
  partOf?: EndSeen & { committed: boolean };
  /** Where it was found, before any backup is consistent. */
  tooEarly?: Lsn;
  twice?: [Lsn, Lsn];
  /** Known already. */
  outside?: string;
}

/** @param read `from 0000... to 0000...` */
export function notLocated(wanted: WantedTarget, seen: Seen, read: string, consistentFrom?: Lsn): string {
  const what = nameOf(wanted);
  if (seen.twice !== undefined) {
    const [first, second] = seen.twice;
    return `${what} is there twice, at ${first} and at ${second}, and PostgreSQL would stop at the first one after the backup. Write the LSN that is meant: "${first}" or "${second}".`;
  }
  if (seen.tooEarly !== undefined)
    return `${what} lies at ${seen.tooEarly}, before ${consistentFrom}, where the oldest backup that can be recovered ends. Choose a later target (lifeboat recovery-window).`;
  switch (wanted.kind) {
    case 'transaction':
      return `${what} ${whyTransaction(seen, read)}`;
    case 'name':
      return `${what} is not in the archive's WAL, which was read ${read}${windowOf(seen)}. ${namesSeen(seen)}`;
    case 'time':
    case 'lsn':
      return whyNotReached(what, seen, read);
  }
}

function nameOf(wanted: WantedTarget): string {
  switch (wanted.kind) {
    case 'time':
      return wanted.at;
    case 'lsn':
      return wanted.lsn;
    case 'transaction':
      return `transaction ${wanted.transaction}`;
    case 'name':
      return `restore point "${wanted.name}"`;
  }
}

function whyTransaction({ rolledBack, onlyPrepared, partOf, ...seen }: Seen, read: string): string {
  if (partOf !== undefined)
    return `is a part of transaction ${partOf.transaction} (a savepoint), which was ${partOf.committed ? 'committed' : 'rolled back'} at ${partOf.at}: it has no end of its own. Write "${partOf.committed ? `transaction ${partOf.transaction}" or "before transaction ${partOf.transaction}` : `before ${partOf.lsn}`}".`;
  if (rolledBack !== undefined)
    return `was rolled back at ${rolledBack.at} (${rolledBack.lsn}): nothing of it ever took effect. To go back to that point write "before ${rolledBack.lsn}".`;
  if (onlyPrepared !== undefined)
    return `was prepared at ${onlyPrepared.at} (${onlyPrepared.lsn}) and neither committed nor rolled back in the WAL that the archive holds. To go back to where it is prepared write "${onlyPrepared.lsn}".`;
  return `has no end in the archive's WAL, which was read ${read}${windowOf(seen)}: it has written nothing, it is running still, or it ended before or after that. Look for it by what it has done (lifeboat find), or give a moment.`;
}

function whyNotReached(what: string, seen: Seen, read: string): string {
  const { last } = seen;
  if (last === undefined)
    return `no transaction has ended in the archive's WAL, which was read ${read}: it is not known where ${what} lies. Let the service write, have its WAL archived (select pg_switch_wal()), and start again.`;
  return `${what} is later than all that the archive holds, which was read ${read}: the newest commit in it is transaction ${last.transaction} of ${last.at} at ${last.lsn}. For all that is archived write "${last.lsn}"; for more, have the service write and archive its WAL (select pg_switch_wal()), and start again.`;
}

function windowOf({ firstAt, last }: Seen): string {
  if (firstAt === undefined) return ' (no transaction has ended there)';
  return last === undefined ? ` (transactions ended from ${firstAt} on)` : ` (${firstAt} to ${last.at})`;
}

function namesSeen({ names }: Seen): string {
  if (names.length === 0) return 'No restore point is. Give a moment, an LSN or a transaction instead.';
  const listed = [...new Set(names)].map((name) => `"${name}"`).join(', ');
  return `These are: ${listed}.`;
}
