import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatNumberOf } from '../../evidence/format.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { backupKind } from '../backups/kind.ts';
import { inReadingRoom } from '../backups/reading-room.ts';
import { waldump } from '../backups/waldump.ts';
import { runTool } from '../child.ts';
import type { RebuildHostReads } from '../contract.ts';
import type { Permit } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { findLive } from '../postgres/live-server.ts';
import type { Found } from '../shapes.ts';
import { refuseStrange, rewindCommand } from './rewind.ts';

type Ask = Parameters<RebuildHostReads['canRewind']>[0];
type CanRewind = Found & { possible: boolean; fetch: string[] };

const no = (found: string): CanRewind => ({ possible: false, fetch: [], found });

/**
 * A server removes WAL that it has archived soon after it was promoted: what pg_rewind does not find in pg_wal is looked for in the archive.
 * Reads only.
 */
export async function canRewind(ask: Ask): Promise<CanRewind> {
  const { member } = ask;
  const { permit } = await permitServerControl(member);
  if ((await findLive(member.dataDirectory)) !== undefined)
    return no(`${member.host} runs, and pg_rewind can only be rehearsed on a server that is stopped`);
  const rehearsed = await rehearse(ask, permit);
  if (rehearsed.possible || !rehearsed.lacksWal) return rehearsed;
  const archived = await byTheArchive(ask);
  return archived.possible ? archived : no(`${rehearsed.found}; ${archived.found}`);
}

const rehearsesWithinMs = 900_000;

async function rehearse(ask: Ask, permit: Permit): Promise<CanRewind & { lacksWal: boolean }> {
  const { words, env } = await rewindCommand(permit, ask.member.dataDirectory, ask);
  const { code, stdout, stderr } = await runTool(join(permit.postgresql, 'pg_rewind'), [...words, '--dry-run'], {
    env,
    withinMs: rehearsesWithinMs,
  });
  const said = `${stderr}\n${stdout}`;
  const from = /last common checkpoint at (\S+) on timeline (\d+)/.exec(said);
  if (code === 0 && from !== null)
    return {
      possible: true,
      fetch: [],
      lacksWal: false,
      found: `pg_rewind would begin at the last common checkpoint, ${from[1]} on timeline ${from[2]}`,
    };
  const why = said
    .split('\n')
    .filter((line) => /error|fatal|no rewind required|detail/i.test(line))
    .join(' ')
    .replaceAll('pg_rewind: ', '');
  const lacksWal = /could not open file ".*pg_wal\/|could not find previous WAL record/.test(said);
  return { ...no(`pg_rewind, rehearsed, does not find its way: ${why.trim().slice(-400)}`), lacksWal };
}

/** From the segment in which it has left the line backward, until one holds a checkpoint that both have. */
async function byTheArchive(ask: Ask): Promise<CanRewind> {
  const { backups, member, way, from } = ask;
  refuseStrange([...way.own, ...way.common]);
  const wal = join(member.dataDirectory, 'pg_wal');
  const here = new Set(await readdir(wal));
  const archived = await backupKind(backups).checksums(backups);
  const fetch: string[] = [];
  const lacking = (name: string): CanRewind | undefined => {
    if (here.has(name)) return undefined;
    if (!archived.has(name)) return no(`${name} is neither in its pg_wal nor in the archive`);
    fetch.push(name);
    return undefined;
  };
  for (const name of way.own) {
    const refused = lacking(name);
    if (refused !== undefined) return refused;
  }
  return inReadingRoom(ask, async (places, permit) => {
    const [fork, ...others] = [...way.own.slice(-1), ...way.common];
    for (const name of fork === undefined ? others : [fork, ...others]) {
      const refused = name === fork ? undefined : lacking(name);
      if (refused !== undefined) return refused;
      if (!here.has(name)) await backupKind(backups).fetchWal(backups, name, join(places.wal, name));
      const checkpoint = await lastCheckpoint(permit, here.has(name) ? wal : places.wal, name, from);
      if (checkpoint === undefined) continue;
      return {
        possible: true,
        fetch,
        found: `pg_rewind would begin at the checkpoint at ${checkpoint}; ${formatNumberOf(fetch.length, 'segment')} of its way are fetched from the archive`,
      };
    }
    return no(`no checkpoint lies in the ${formatNumberOf(way.common.length + 1, 'segment')} before ${from}`);
  });
}

const checkpointRecord = /lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: CHECKPOINT_(?:ONLINE|SHUTDOWN) /;

async function lastCheckpoint(
  permit: Permit,
  directory: string,
  segment: string,
  before: string,
): Promise<string | undefined> {
  let last: string | undefined;
  await waldump(permit, directory, ['--rmgr=XLOG', segment], (line) => {
    const [, lsn] = checkpointRecord.exec(line) ?? [];
    if (lsn !== undefined && compareLsn(lsn, before) < 0) last = lsn;
  });
  return last;
}
