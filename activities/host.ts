/** What a host worker offers: the files' side of the contract. */

import type { Member } from '../plan/schema.ts';
import { smokeLive, tellApplication } from './application/live.ts';
import {
  applicationComesBack,
  applicationIsQuiet,
  applicationMayBeChanged,
  applicationStands,
  applicationState,
} from './application/look.ts';
import { quiesceApplication, resumeApplication } from './application/quiesce.ts';
import { smoke } from './application/smoke.ts';
import { restartApplication, startApplication, stopApplication } from './application/start.ts';
import { locateTarget } from './backups/locate-target.ts';
import { newestCommit } from './backups/newest-commit.ts';
import { repository, segmentSize } from './backups/read-repository.ts';
import { readSegments } from './backups/read-segments.ts';
import { restoreBeside } from './backups/restore-beside.ts';
import { searchWal } from './backups/search-wal.ts';
import { segmentsBetween } from './backups/segments-between.ts';
import { takeBackup } from './backups/take-backup.ts';
import { cacheFiles } from './cache/files.ts';
import { rdbFound } from './cache/rdb.ts';
import { giveCacheBack, restoreCache } from './cache/restore.ts';
import { startCache, stopCache } from './cache/server.ts';
import { warmCache } from './cache/warm.ts';
import { archiveReaches } from './cluster/archive-reaches.ts';
import { archivedHere } from './cluster/archived-here.ts';
import { askArchive } from './cluster/ask-archive.ts';
import { countRows } from './cluster/count-rows.ts';
import { fingerprintsAt } from './cluster/fingerprints-at.ts';
import { makeFollower, startFollower } from './cluster/follower.ts';
import { howItStands } from './cluster/how-it-stands.ts';
import { caughtUp, promoteStandby } from './cluster/promote-standby.ts';
import { memberFacts, serverFacts } from './cluster/server-facts.ts';
import { dropSlot, makeSlot } from './cluster/slots.ts';
import { primaryAgain, standbyOnly } from './cluster/standby-only.ts';
import { checkpoint, standsStill, startPrimary, stopPrimary } from './cluster/stop-primary.ts';
import { startStandby, stopStandby } from './cluster/stop-standby.ts';
import type {
  ApplicationChanges,
  ApplicationReads,
  FilesChanges,
  FilesReads,
  HostChanges,
  HostReads,
  RecoveryHostChanges,
  RecoveryHostReads,
} from './contract.ts';
import { confirmFence, fenceByCommand } from './failover/fence-by-command.ts';
import { fenceServer, unfenceServer } from './failover/fence-server.ts';
import { primarySeenFrom } from './failover/primary-seen-from.ts';
import { replayedAll } from './failover/replayed-all.ts';
import { backUpFiles, filesReadable } from './files/backup.ts';
import { filesDifferences } from './files/differences.ts';
import { filesHere, filesLook } from './files/look.ts';
import { giveFilesBack, replaceFiles, tidyFiles } from './files/replace.ts';
import { removeRestored, restoreFiles } from './files/restore.ts';
import { filesAre, filesSound } from './files/sound.ts';
import { filesServe, takeUpFiles } from './files/take-up.ts';
import { beating } from './heartbeat.ts';
import { hostFacts, roomFor } from './host-facts.ts';
import { inTurn } from './in-turn.ts';
import { copySetAside, roomForCopy } from './ledger/copy.ts';
import { ledgerOfLostWrites } from './ledger/ledger.ts';
import { lostInWal } from './ledger/lost-in-wal.ts';
import { removeSetAside } from './ledger/remove-set-aside.ts';
import { lookAtSetAside } from './ledger/set-aside.ts';
import { sayingFullDisk } from './on-full-disk.ts';
import { onPermittedScratch } from './on-permitted-scratch.ts';
import { permitServerControl } from './permit-control.ts';
import { anchorOnStandby } from './postgres/anchor-on-standby.ts';
import { anchorUnderLock } from './postgres/anchor-under-lock.ts';
import { assertionsLive, runAssertions } from './postgres/assertions.ts';
import { checkConstraints } from './postgres/check-constraints.ts';
import { checkIndexes } from './postgres/check-indexes.ts';
import { checkPages } from './postgres/check-pages.ts';
import { endOfRecovery } from './postgres/end-of-recovery.ts';
import { fingerprints } from './postgres/fingerprint.ts';
import { onOwnServer } from './postgres/made-by.ts';
import { promoteScratch } from './postgres/promote.ts';
import { pulsesRestored } from './postgres/pulses.ts';
import { relationsAt } from './postgres/relations-at.ts';
import { litter, removeScratch } from './postgres/remove.ts';
import { replayTo } from './postgres/replay.ts';
import { waysToLook } from './postgres/ways-to-look.ts';
import { canRewind } from './rebuild/can-rewind.ts';
import { copyPrimary, removeCopy } from './rebuild/copy-primary.ts';
import { keepSlot } from './rebuild/keep-slot.ts';
import { primaryKeeps } from './rebuild/primary-keeps.ts';
import { reattach } from './rebuild/reattach.ts';
import { rewind } from './rebuild/rewind.ts';
import { standbyFound } from './rebuild/standby-found.ts';
import { canTakePlace, giveBack, takePlace } from './rebuild/take-place.ts';
import { writesAfter } from './rebuild/writes-after.ts';
import { ownConfiguration } from './replace/backup-configuration.ts';
import { canReplace } from './replace/can-replace.ts';
import { replaceBack, replaceDirectory } from './replace/replace-directory.ts';
import { returnOnNewTimeline } from './replace/return-on-new-timeline.ts';
import { startReplaced } from './replace/start-replaced.ts';
import { stopBeside } from './replace/stop-beside.ts';
import { whatLies } from './replace/what-lies.ts';
import type { Scratch } from './shapes.ts';
import { leftovers } from './sweep/leftovers.ts';
import { removeLeftovers } from './sweep/remove-leftovers.ts';

/** On the server that this execution has made, once whoever worked on it before has ended. */
const onServer = <Ask extends { scratch: Scratch }, Answer>(activity: (ask: Ask) => Promise<Answer>) =>
  inTurn(onOwnServer(activity));

/** Asked before anything else is looked at: what may be done to a live server is no answer to whoever asks for another one. */
const onMember =
  <Ask extends { member: Member }, Answer>(activity: (ask: Ask) => Promise<Answer>) =>
  async (ask: Ask): Promise<Answer> => {
    await permitServerControl(ask.member);
    return activity(ask);
  };

/** Heartbeats while a live server is stopped, started or waited for. */
const alive =
  <Ask, Answer>(activity: (ask: Ask) => Promise<Answer>) =>
  (ask: Ask): Promise<Answer> =>
    beating(
      () => undefined,
      () => activity(ask),
    );

const recoveryReads = {
  whatLies: alive(whatLies),
  canReplace: alive(canReplace),
  locateTarget: inTurn(locateTarget),
  countRows,
  assertionsLive,
} satisfies RecoveryHostReads;

const recoveryChanges = {
  stopBeside: onServer(alive(stopBeside)),
  stopStandby: alive(stopStandby),
  startStandby: alive(startStandby),
  replaceDirectory: onMember(onServer(alive(replaceDirectory))),
  // Whoever has made the restored directory: what was moved is told by the directories themselves.
  replaceBack: inTurn(alive(replaceBack)),
  startReplaced: alive(startReplaced),
  returnOnNewTimeline: alive(returnOnNewTimeline),
  waysToLook: onServer(waysToLook),
  ownConfiguration: onMember(onServer(ownConfiguration)),
  tellApplication,
  smokeLive,
} satisfies RecoveryHostChanges;

const applicationReads = {
  applicationState: alive(applicationState),
  applicationMayBeChanged: alive(applicationMayBeChanged),
  applicationComesBack: alive(applicationComesBack),
  applicationStands: alive(applicationStands),
  applicationIsQuiet: alive(applicationIsQuiet),
} satisfies ApplicationReads;

const applicationChanges = {
  startApplication: alive(startApplication),
  restartApplication: alive(restartApplication),
  stopApplication: alive(stopApplication),
  quiesceApplication: alive(quiesceApplication),
  resumeApplication: alive(resumeApplication),
} satisfies ApplicationChanges;
const filesReads: FilesReads = {
  filesHere: alive(filesHere),
  filesLook: alive(filesLook),
  filesReadable: alive(filesReadable),
  filesSound: alive(filesSound),
  filesAre: alive(filesAre),
  filesServe: alive(filesServe),
};

const filesChanges: FilesChanges = {
  backUpFiles: alive(backUpFiles),
  restoreFiles: alive(restoreFiles),
  filesDifferences: alive(filesDifferences),
  removeRestored: alive(removeRestored),
  replaceFiles: alive(replaceFiles),
  takeUpFiles: alive(takeUpFiles),
  giveFilesBack: alive(giveFilesBack),
  tidyFiles: alive(tidyFiles),
};

/** What may be asked for, and is answered for whatever fails on a full disk. */
const offered = <A extends object>(activities: A): A => onPermittedScratch(sayingFullDisk(activities));

export const hostReads: HostReads = offered({
  hostFacts,
  repository,
  segmentSize: inTurn(segmentSize),
  readSegments: inTurn(readSegments),
  newestCommit: inTurn(newestCommit),
  segmentsBetween: inTurn(segmentsBetween),
  searchWal: inTurn(searchWal),
  roomFor,
  litter,
  leftovers,
  memberFacts: alive(memberFacts),
  serverFacts: alive(serverFacts),
  caughtUp,
  archivedHere: alive(archivedHere),
  standsStill: alive(standsStill),
  howItStands: alive(howItStands),
  primarySeenFrom: alive(primarySeenFrom),
  replayedAll: alive(replayedAll),
  confirmFence,
  standbyFound: alive(standbyFound),
  primaryKeeps: alive(primaryKeeps),
  writesAfter: alive(writesAfter),
  canRewind: alive(canRewind),
  canTakePlace: alive(canTakePlace),
  lookAtSetAside: alive(lookAtSetAside),
  roomForCopy: inTurn(alive(roomForCopy)),
  lostInWal: inTurn(lostInWal),
  cacheFiles: alive(cacheFiles),
  rdbFound: alive(rdbFound),
  ...recoveryReads,
  ...applicationReads,
  ...filesReads,
});

export const hostChanges: HostChanges = offered({
  restoreBeside: inTurn(restoreBeside),
  replayTo: onServer(replayTo),
  relationsAt: onServer(relationsAt),
  endOfRecovery: onServer(endOfRecovery),
  fingerprints: onServer(fingerprints),
  pulsesRestored: onServer(pulsesRestored),
  runAssertions: onServer(runAssertions),
  promoteScratch: onServer(promoteScratch),
  smoke: onServer(smoke),
  checkIndexes: onServer(checkIndexes),
  checkConstraints: onServer(checkConstraints),
  checkPages: onServer(checkPages),
  removeScratch: inTurn(removeScratch),
  removeLeftovers,
  takeBackup,
  anchorOnStandby,
  anchorUnderLock,
  checkpoint,
  makeSlot,
  dropSlot,
  stopPrimary: alive(stopPrimary),
  startPrimary: alive(startPrimary),
  standbyOnly: alive(standbyOnly),
  primaryAgain: alive(primaryAgain),
  promoteStandby,
  fenceServer: alive(fenceServer),
  unfenceServer: alive(unfenceServer),
  fenceByCommand,
  archiveReaches: alive(archiveReaches),
  askArchive: alive(askArchive),
  makeFollower: alive(makeFollower),
  fingerprintsAt: alive(fingerprintsAt),
  startFollower: alive(startFollower),
  keepSlot: alive(keepSlot),
  reattach: alive(reattach),
  rewind: alive(rewind),
  copyPrimary: alive(copyPrimary),
  removeCopy: alive(removeCopy),
  takePlace: alive(takePlace),
  giveBack: alive(giveBack),
  copySetAside: inTurn(copySetAside),
  ledgerOfLostWrites: onServer(ledgerOfLostWrites),
  removeSetAside: alive(removeSetAside),
  startCache: alive(startCache),
  stopCache: alive(stopCache),
  restoreCache: alive(restoreCache),
  giveCacheBack: alive(giveCacheBack),
  warmCache,
  ...recoveryChanges,
  ...applicationChanges,
  ...filesChanges,
});
