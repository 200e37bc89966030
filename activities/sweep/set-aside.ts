/** What recoveries and rebuilds have beside the live directories of a host: kept for people, and listed so that nobody forgets it. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Leftover } from '../../evidence/evidence.ts';
import { formatDuration } from '../../evidence/format.ts';
import { identityOfSetAside, keptUsuallyMs } from '../../evidence/set-aside.ts';
import type { Member } from '../../plan/schema.ts';
import { halfGone } from '../ledger/remove-set-aside.ts';
import { bytesIn, foundAt } from '../ledger/set-aside.ts';
import { loadPermit, type Permit, permitDataDirectory } from '../permit.ts';
import { controlData } from '../postgres/control-data.ts';
import type { LeftoverFound } from '../shapes.ts';

/** Parts of a standby's rebuild, which takes them away itself: a copy that comes, a directory that is rewound, its configuration. */
const atWork = ['coming', 'rewinding', 'saved'] as const;

/** Beside the member's data directory, by their names. */
export async function setAsideBy(member: Member): Promise<LeftoverFound[]> {
  const permit = await loadPermit();
  const { dataDirectory } = member;
  const permitted = await permitDataDirectory(permit, dataDirectory).then(
    () => true,
    () => false,
  );
  if (!permitted) return [];
  const names = await readdir(dirname(dataDirectory)).catch(() => []);
  const ours = ['before', ...atWork].map((what) => `${basename(dataDirectory)}.${what}-`);
  const wanted = names.filter((name) => ours.some((start) => name.startsWith(start))).sort();
  const found = await Promise.all(wanted.map((name) => lookAt(join(dirname(dataDirectory), name), member, permit)));
  return found.filter((one) => one !== undefined);
}

async function lookAt(path: string, { host }: Member, permit: Permit): Promise<LeftoverFound | undefined> {
  const there = await foundAt(path, host).catch(() => undefined);
  if (there === undefined) return undefined;
  const control = await controlData(permit, path).catch(() => undefined);
  // Written last when its server was stopped; a rename does not touch it.
  const { mtime } = await stat(join(path, 'global/pg_control')).catch(() => stat(path));
  const identity =
    control === undefined
      ? there.inode
      : identityOfSetAside({ ...control, lsn: control.checkpoint, inode: there.inode });
  const bytes = await bytesIn(path);
  return {
    ...{ host, kind: 'set-aside' as const, what: path, path, identity, bytes, since: mtime.toISOString() },
    ...(path.endsWith(halfGone) ? { note: 'its removal has begun' } : {}),
  };
}

/** Kept on purpose: nobody but people, or the time that the plan gives, says that it is of no use any more. */
export function judgeSetAside(
  { since, note, path = '' }: Pick<LeftoverFound, 'since' | 'note' | 'path'>,
  { keepOldForMs = keptUsuallyMs }: { keepOldForMs?: number },
  users: string[],
  nowMs: number,
): Pick<Leftover, 'verdict' | 'why' | 'run'> {
  if (users.length > 0) return { verdict: 'in-use', run: users.join(', '), why: `${users.join(', ')} goes on` };
  if (isOfRebuild(path))
    return {
      verdict: 'kept',
      why: "a rebuild of this standby was ended while it worked with it: start the rebuild again (lifeboat start standby-rebuild), and once the standby streams delete this by hand; until then it may hold the standby's own data",
    };
  if (note !== undefined) return { verdict: 'left', why: 'nobody needs half of it' };
  const until = Date.parse(since ?? '') + keepOldForMs;
  const kept = `a recovery has set it aside, and the plan keeps it for ${formatDuration(keepOldForMs)}`;
  if (until < nowMs) return { verdict: 'left', why: `${kept}: until ${new Date(until).toISOString()}` };
  return {
    verdict: 'kept',
    why: `${kept}: until ${Number.isNaN(until) ? 'a person says so' : new Date(until).toISOString()}, or until somebody accepts the recovery (lifeboat accept)`,
  };
}

function isOfRebuild(path: string): boolean {
  return atWork.some((what) => basename(path).includes(`.${what}-`));
}
