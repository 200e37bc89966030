/** The store of the site that takes over: whether what is archived there is enough to live on, before and after. */
import type { Found } from '../../../activities/shapes.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { Member } from '../../../plan/schema.ts';
import { backupsOn, shareStore } from '../../../plan/sites.ts';
import { lsnDistance } from '../../../recovery/lsn.ts';
import type { PrimaryKept } from '../../../recovery/rebuild.ts';
import { segmentEnd } from '../../../recovery/segments.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Who } from '../rebuild/assess.ts';

/** Segments that a standby may be behind with its own archive: the one that is not full yet, and those on the way. */
const mostBehind = 8;

interface Standby {
  to: Member;
  from: Member;
  timeline: number;
}

/** A standby archives into its own site's store by itself (archive_mode = always), or its site could not recover by itself afterwards. */
export async function ownStoreKeepsUp(run: Run, standby: Standby): Promise<void> {
  const { from, to } = standby;
  if (shareStore(run.plan, from.host, to.host)) return;
  await run.check('The store of the other site keeps up', () => keepsUp(run, standby), {
    yields: { found: 'accepted' },
  });
}

async function keepsUp(run: Run, { to, timeline }: Standby): Promise<Found> {
  const backups = backupsOn(run.plan, to.host);
  const { segmentBytes, lsn: replayed } = await run.host(to.host).serverFacts({ member: to, backups });
  const { timelines, backups: kept } = await run
    .host(to.host)
    .repository({ backups, segmentBytes, outageWithinMs: run.patienceMs() });
  const last = timelines.find(({ id }) => id === timeline)?.ranges.at(-1)?.last;
  if (last === undefined)
    throw failure(
      'StandbyUnfit',
      `the store of ${to.host} (${backups.config}) holds no WAL of timeline ${timeline}: its site could not be recovered by itself. Set archive_mode = always on ${to.host}, with an archive_command into that store, and restart it.`,
    );
  const behind = lsnDistance(segmentEnd(last, segmentBytes), replayed);
  if (behind > mostBehind * segmentBytes)
    throw failure(
      'StandbyUnfit',
      `the store of ${to.host} ends at ${last}, ${formatBytes(behind)} behind what ${to.host} has replayed: see why it does not archive (pg_stat_archiver on ${to.host}).`,
    );
  return {
    found: `it ends at ${last}, ${formatBytes(Math.max(0, behind))} behind ${to.host}; ${kept.length === 0 ? 'it holds no backup yet' : `its newest backup is ${kept.at(-1)?.label}`}`,
    expected: `WAL of timeline ${timeline} up to now, archived by ${to.host} itself`,
  };
}

/** Milliseconds: a segment that its standby has received is archived within seconds. */
const archivesWithinMs = 60_000;

/** After a standby has come back: what the primary writes now is in its own site's store, too. */
export async function archivesByItself(run: Run, { standby, primary }: Who, { timeline }: PrimaryKept): Promise<void> {
  if (shareStore(run.plan, standby.host, primary.host)) return;
  await run.prove(
    'The store of the standby holds what the primary writes now',
    async () => {
      const { segment } = await run.host(primary.host).archiveReaches({
        ...{ member: primary, backups: backupsOn(run.plan, primary.host), timeline },
        outageWithinMs: run.patienceMs(),
      });
      return run.host(standby.host).archivedHere({
        ...{ member: standby, backups: backupsOn(run.plan, standby.host), segment },
        withinMs: archivesWithinMs,
      });
    },
    { yields: undefined },
  );
}

const startsWithinMs = 60_000;

/**
 * A standby of another site asks the store of its own for what it lacks: that of the primary's site may be lost with it, and whoever waits
 * for an answer of it cannot be promoted. Nothing where both have one store.
 *
 * @param urgent nobody can write meanwhile
 */
export async function askItsOwnStore(
  run: Run,
  standby: Member,
  primary: Member,
  { urgent }: { urgent?: true } = {},
): Promise<void> {
  if (shareStore(run.plan, standby.host, primary.host)) return;
  await run.change('Let the standby ask the store of its own site', {
    ...(urgent ? { urgent } : {}),
    preview: async () => ({
      will: `let ${standby.host} ask ${backupsOn(run.plan, standby.host).config} for WAL that it lacks, and start it anew if another store holds it up`,
      yields: undefined,
    }),
    apply: () =>
      run.host(standby.host, 3).askArchive({
        ...{ member: standby, backups: backupsOn(run.plan, standby.host), withinMs: startsWithinMs },
      }),
    // That is where it asks anyway between two moves.
    undo: { pointOfNoReturn: `${standby.host} has the store of its own site to ask.` },
    ...(urgent ? {} : { skip: { yields: undefined } }),
  });
}
