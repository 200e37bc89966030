/** Whatever has happened to a cluster and its archive, what is said of it is what a walk over its segments, one by one, finds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackupInfo, RecoveryTarget } from '../../../recovery/archive.ts';
import { chooseAnchor, chooseBackup } from '../../../recovery/choice.ts';
import { gaps, reachOf, segmentCount } from '../../../recovery/continuity.ts';
import { diagnose } from '../../../recovery/diagnosis.ts';
import { segmentsWorthReading } from '../../../recovery/needed.ts';
import { soundness } from '../../../recovery/soundness.ts';
import { pathTo } from '../../../recovery/timelines.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import {
  archiveOf,
  expireBefore,
  happen,
  isArchived,
  lose,
  lsnOf,
  nameOf,
  numberIn,
  ownerOf,
  positionOf,
  type Script,
  script,
  type TrueHistory,
  wayTo,
} from './true-history.ts';

const losses = fc.array(fc.nat(10_000), { maxLength: 4 });

/** Whether recovering this backup can lead to the end of that timeline. */
function leads(history: TrueHistory, backup: BackupInfo, timeline: number): boolean {
  const place = wayTo(history, timeline).find(({ line }) => line.id === backup.timeline);
  if (backup.error || place === undefined) return false;
  return place.until === undefined || positionOf(backup.stopLsn) <= place.until;
}

/** The last segment that can be read, one after the other, from the start of the backup. */
function walk(history: TrueHistory, backup: BackupInfo, timeline: number): number | undefined {
  const size = BigInt(history.segmentBytes);
  let number = numberIn(backup.startWal, history.segmentBytes);
  while (isArchived(history, ownerOf(history, timeline, number), number)) number += 1;
  return BigInt(number) * size >= positionOf(backup.stopLsn) ? number - 1 : undefined;
}

/** Of each history, with every timeline in it. */
function eachTimeline(check: (history: TrueHistory, timeline: number) => void): void {
  fc.assert(
    fc.property(script, losses, (of, picks) => {
      const history = happen(of);
      lose(history, picks);
      for (const { id } of history.lines) check(history, id);
    }),
  );
}

const toLsn = (at: bigint, timeline: number): RecoveryTarget => ({
  kind: 'lsn',
  lsn: lsnOf(at),
  inclusive: true,
  timeline,
});

describe('of any history of a cluster, and any losses', () => {
  test('the way to a timeline is the one that was gone', () => {
    eachTimeline((history, timeline) => {
      expect(pathTo(archiveOf(history), timeline).map((one) => [one.timeline, one.until])).toEqual(
        wayTo(history, timeline).map(({ line, until }) => [line.id, until === undefined ? undefined : lsnOf(until)]),
      );
    });
  });

  test('a backup reaches as far as its segments can be read one after the other', () => {
    eachTimeline((history, timeline) => {
      const repository = archiveOf(history);
      for (const backup of history.backups.filter((one) => leads(history, one, timeline))) {
        const last = walk(history, backup, timeline);
        const name =
          last === undefined ? undefined : nameOf(ownerOf(history, timeline, last), last, history.segmentBytes);
        expect(reachOf(repository, backup, timeline)?.segment).toBe(name);
      }
    });
  });

  test('the recovery window begins with the oldest backup that can be recovered, and ends where the farthest does', () => {
    eachTimeline((history, timeline) => {
      const window = recoveryWindow(archiveOf(history), history.anchors, timeline);
      const ways = history.backups
        .filter((one) => leads(history, one, timeline))
        .map((backup) => ({ backup, last: walk(history, backup, timeline) }))
        .filter(({ last }) => last !== undefined)
        .sort((a, b) => Number(positionOf(a.backup.stopLsn) - positionOf(b.backup.stopLsn)));
      expect(window.from?.label).toBe(ways[0]?.backup.label);
      const farthest = Math.max(-1, ...ways.map(({ last }) => last ?? -1));
      const end = farthest < 0 ? undefined : lsnOf(BigInt(farthest + 1) * BigInt(history.segmentBytes));
      expect(window.to?.lsn).toBe(end);
      const provable = history.anchors.filter((anchor) =>
        ways.some(
          ({ backup, last }) =>
            isOnWay(history, anchor, timeline) &&
            positionOf(backup.stopLsn) <= positionOf(anchor.lsn) &&
            positionOf(anchor.lsn) <= BigInt((last ?? -1) + 1) * BigInt(history.segmentBytes),
        ),
      );
      expect(window.anchors.map(({ at }) => at).sort()).toEqual(provable.map(({ at }) => at).sort());
    });
  });

  test('the gaps are exactly the segments of the way that are not there', () => {
    eachTimeline((history, timeline) => {
      const { gaps: told, reaches } = recoveryWindow(archiveOf(history), [], timeline);
      const oldest = reaches[0]?.backup;
      const newest = newestOnWay(history, timeline);
      const missing: string[] = [];
      if (oldest !== undefined && newest !== undefined)
        for (let number = numberIn(oldest.startWal, history.segmentBytes); number <= newest; number += 1) {
          const owner = ownerOf(history, timeline, number);
          if (!isArchived(history, owner, number)) missing.push(nameOf(owner, number, history.segmentBytes));
        }
      expect(told).toEqual(missing);
    });
  });

  test('a recovery to a position reads the segments up to it, and misses exactly those that are not there', () => {
    fc.assert(
      fc.property(script, losses, fc.nat(1_000), (of, picks, share) => {
        const history = happen(of);
        lose(history, picks);
        const repository = archiveOf(history);
        for (const { id: timeline, end } of history.lines)
          for (const backup of history.backups.filter((one) => leads(history, one, timeline))) {
            const stop = positionOf(backup.stopLsn);
            const target = stop + ((end - stop) * BigInt(share)) / 1_000n;
            const first = numberIn(backup.startWal, history.segmentBytes);
            const last = Number(target / BigInt(history.segmentBytes));
            const missing: string[] = [];
            for (let number = first; number <= last; number += 1) {
              const owner = ownerOf(history, timeline, number);
              if (!isArchived(history, owner, number)) missing.push(nameOf(owner, number, history.segmentBytes));
            }
            expect(gaps(repository, backup, toLsn(target, timeline))).toEqual(missing);
            expect(segmentCount(repository, backup, toLsn(target, timeline))).toBe(last - first + 1);
          }
      }),
    );
  });

  test('the backup to start from is the newest that leads to the target, and its anchor the newest in between', () => {
    fc.assert(
      fc.property(script, fc.nat(1_000), (of, share) => {
        const history = happen(of);
        const repository = archiveOf(history);
        for (const { id: timeline, end, from } of history.lines) {
          const target = from + ((end - from) * BigInt(share)) / 1_000n;
          const able = history.backups
            .filter((one) => leads(history, one, timeline) && positionOf(one.stopLsn) <= target)
            .sort((a, b) => (a.stoppedAt < b.stoppedAt ? 1 : -1));
          const { backup } = chooseBackup(repository, toLsn(target, timeline));
          expect(backup?.label).toBe(able[0]?.label);
          if (backup === undefined) continue;
          const between = history.anchors
            .filter((anchor) => isOnWay(history, anchor, timeline))
            .map(({ lsn }) => positionOf(lsn))
            .filter((at) => positionOf(backup.stopLsn) <= at && at <= target);
          const newest = between.reduce<bigint | undefined>((a, b) => (a !== undefined && a > b ? a : b), undefined);
          const chosen = chooseAnchor(repository, history.anchors, backup, toLsn(target, timeline));
          expect(chosen?.lsn).toBe(newest === undefined ? undefined : lsnOf(newest));
        }
      }),
    );
  });
});

function isOnWay(history: TrueHistory, { timeline: on, lsn }: { timeline: number; lsn: string }, timeline: number) {
  const place = wayTo(history, timeline).find(({ line }) => line.id === on);
  return place !== undefined && (place.until === undefined || positionOf(lsn) <= place.until);
}

/** Of what is there of the timelines on the way; of those that were left, not past that. */
function newestOnWay(history: TrueHistory, timeline: number): number | undefined {
  const size = BigInt(history.segmentBytes);
  const numbers = [...history.archived].flatMap((one) => {
    const [on = 0, number = 0] = one.split('/').map(Number);
    const place = wayTo(history, timeline).find(({ line }) => line.id === on);
    if (place === undefined) return [];
    return [place.until === undefined ? number : Math.min(number, Number(place.until / size))];
  });
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

describe('of any history of a cluster without losses', () => {
  /** Where a recovery to a timeline enters each one on its way, the archive holds its first segment already. */
  const hasBegun = (history: TrueHistory, timeline: number): boolean => {
    const size = BigInt(history.segmentBytes);
    // Of the first one nothing but its segments tells.
    if (timeline === 1 && ![...history.archived].some((one) => one.startsWith('1/'))) return false;
    return wayTo(history, timeline)
      .filter(({ line }) => line.parent !== undefined)
      .every(({ line }) => {
        const first = Number(line.from / size);
        return isArchived(history, ownerOf(history, timeline, first), first);
      });
  };

  const eachSound = (check: (history: TrueHistory, timeline: number) => void, prepare = (_: TrueHistory) => true) =>
    fc.assert(
      fc.property(script, (of: Script) => {
        const history = happen(of);
        if (!prepare(history)) return;
        for (const { id } of history.lines) if (hasBegun(history, id)) check(history, id);
      }),
    );

  test('nothing odd is seen, and no timeline is called unsound', () => {
    eachSound((history, timeline) => {
      expect(archiveOf(history).oddities).toEqual([]);
      expect(soundness(archiveOf(history), timeline)).toEqual([]);
    });
  });

  test('nothing threatens a recovery once there is a backup', () => {
    eachSound((history, timeline) => {
      const newest = history.backups
        .filter((one) => leads(history, { ...one, error: false }, timeline))
        .sort((a, b) => Number(positionOf(b.stopLsn) - positionOf(a.stopLsn)))[0];
      if (newest === undefined || newest.error || walk(history, newest, timeline) === undefined) return;
      const found = diagnose(archiveOf(history), timeline, { anchors: [], faults: [] });
      expect(found.filter(({ threatens }) => threatens)).toEqual([]);
    });
  });

  test('what has expired rightly is not missed', () => {
    eachSound(
      (history, timeline) => {
        if (!history.backups.some((one) => leads(history, one, timeline))) return;
        expect(soundness(archiveOf(history), timeline)).toEqual([]);
      },
      (history) => {
        const newest = history.backups.filter(({ error }) => !error).at(-1);
        if (newest !== undefined) expireBefore(history, newest);
        return newest !== undefined;
      },
    );
  });

  test('a history file that is gone is noticed, and threatens only the timelines that need it', () => {
    eachSound((history, timeline) => {
      for (const { id, parent } of history.lines.filter(({ parent: before }) => before !== undefined)) {
        if (parent === undefined || ![...history.archived].some((one) => one.startsWith(`${id}/`))) continue;
        const found = diagnose(archiveOf(history, [id]), timeline, { anchors: [], faults: [] });
        const told = found.find(({ kind, subjects }) => kind === 'no-history' && subjects[0]?.startsWith(hexOf(id)));
        expect(told).toBeDefined();
        if (id === timeline) expect(told?.threatens).toBe(true);
        if (!wayTo(history, timeline).some(({ line }) => line.id === id)) expect(told?.threatens).toBe(false);
      }
    });
  });

  test('a segment that a recovery now would read is missed; one of another branch is not', () => {
    fc.assert(
      fc.property(script, fc.nat(10_000), (of, pick) => {
        const history = happen(of);
        const [lost] = lose(history, [pick]);
        if (lost === undefined) return;
        const [on, number] = lost;
        for (const { id: timeline } of history.lines) {
          if (!hasBegun(history, timeline)) continue;
          const repository = archiveOf(history);
          const gap = diagnose(repository, timeline, { anchors: [], faults: [] }).find(({ kind }) => kind === 'gap');
          if (ownerOf(history, timeline, number) !== on) expect(gap).toBeUndefined();
          const newest = newestOnWay(history, timeline) ?? -1;
          const past = history.backups.filter((one) => leads(history, one, timeline));
          const can = past.filter((one) => walk(history, one, timeline) === newest);
          if (gap !== undefined && past.length > 0) expect(gap.threatens).toBe(can.length === 0);
        }
      }),
    );
  });

  test('what is read to judge the rest is in the archive, and holds the begin of every timeline', () => {
    eachSound((history, timeline) => {
      const worth = segmentsWorthReading(archiveOf(history), timeline);
      for (const name of worth)
        expect(isArchived(history, Number.parseInt(name.slice(0, 8), 16), numberIn(name, history.segmentBytes))).toBe(
          true,
        );
      const first = Number((history.lines[timeline - 1]?.from ?? 0n) / BigInt(history.segmentBytes));
      if (isArchived(history, timeline, first)) expect(worth).toContain(nameOf(timeline, first, history.segmentBytes));
    });
  });
});

function hexOf(timeline: number): string {
  return timeline.toString(16).toUpperCase().padStart(8, '0');
}
