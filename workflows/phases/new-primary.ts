/** What makes a primary safe that has just become one: something to compare with, a checkpoint, a backup. */
import type { Found } from '../../activities/shapes.ts';
import { formatBytes } from '../../evidence/format.ts';
import type { Member } from '../../plan/schema.ts';
import { backupsOn } from '../../plan/sites.ts';
import type { Anchor } from '../../recovery/archive.ts';
import type { Change } from '../runbook/change.ts';
import type { Run } from '../runbook/run.ts';

const lockWithinMs = 5_000;
const lockAttempts = 3;

/** Under a lock, for milliseconds; without one where the tables are too busy. */
export function takeAnchorOn(run: Run, to: Member): Change<(Found & { anchor: Anchor }) | undefined> {
  const { database, evidence, service } = run.plan;
  return {
    preview: async () => ({
      will: `fingerprint ${database.criticalTables.join(', ')} on ${to.host} at one LSN: writers wait for milliseconds`,
      yields: undefined,
    }),
    apply: async () => {
      const taken = await run.host(to.host, lockAttempts).anchorUnderLock({
        ...{ member: to, lockWithinMs },
        database: database.frontDoor.database,
        tables: database.criticalTables,
      });
      const patience = { outageWithinMs: run.patienceMs() };
      await run.control.saveAnchor({ store: evidence, service, anchor: taken.anchor, ...patience });
      return taken;
    },
    undo: { pointOfNoReturn: 'An anchor is only a note; it stays.' },
    passOver: { types: ['TablesBusy'], yields: undefined },
    skip: { yields: undefined },
  };
}

/** Only writes sooner what is written anyway. @param why ends the sentence that it begins: `, which shortens its stop` */
export function writeCheckpoint(run: Run, member: Member, why: string): Change<unknown> {
  return {
    preview: async () => ({ will: `write a checkpoint on ${member.host}${why}`, yields: undefined }),
    apply: () => run.host(member.host).checkpoint({ member }),
    undo: { pointOfNoReturn: 'A checkpoint only writes sooner what is written anyway.' },
  };
}

/** @param takesMs until a run of this kind has taken one: it is hardly longer than the newest */
export function takeIncrementalBackup(run: Run, member: Member, takesMs?: number): Change<unknown> {
  const physical = backupsOn(run.plan, member.host);
  return {
    preview: async () => ({
      will: `take an incremental backup of ${member.host} into stanza ${physical.stanza}`,
      ...(takesMs === undefined ? {} : { takesMs }),
      yields: undefined,
    }),
    apply: async () => {
      const { backup, found } = await run
        .host(member.host)
        .takeBackup({ backups: physical, member, type: 'incr', outageWithinMs: run.patienceMs() });
      const { label, type, stoppedAt, bytes } = backup;
      run.record({ backup: { label, type, stoppedAt, bytes } });
      return { found: `${found} (${formatBytes(bytes)} restored)` };
    },
    undo: { pointOfNoReturn: 'A finished backup stays.' },
    skip: { yields: undefined },
  };
}
