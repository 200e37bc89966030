/** What control workers offer: everything that is done over the network. */
import { cacheFailover } from './cache/failover.ts';
import { cacheHitRatio, cacheSettled } from './cache/settled.ts';
import { cacheState } from './cache/state.ts';
import { cacheSwitchover } from './cache/switchover.ts';
import { liveRelations } from './cluster/live-relations.ts';
import { members } from './cluster/members.ts';
import { ownCommit } from './cluster/own-commit.ts';
import { patroniFailover, patroniSettled, patroniSwitchover } from './cluster/patroni/orders.ts';
import { patroniState } from './cluster/patroni/state.ts';
import { serviceMoment } from './cluster/service-moment.ts';
import type { ControlChanges, ControlReads, ControlRecords } from './contract.ts';
import { entryMovable } from './entry/movable.ts';
import { moveEntry } from './entry/move.ts';
import { entrySeen } from './entry/seen.ts';
import { entryState } from './entry/state.ts';
import { restoreEntryTtl, setEntryTtl } from './entry/ttl.ts';
import { listAnchors, saveAnchor } from './evidence/anchors.ts';
import { earlierRuns } from './evidence/earlier-runs.ts';
import { lastProven } from './evidence/last-proven.ts';
import { storeAnswers } from './evidence/store-answers.ts';
import { writeEvidence } from './evidence/write-evidence.ts';
import { beating } from './heartbeat.ts';
import { recoveryOf } from './ledger/recovery-of.ts';
import { certificateOf } from './network/certificate.ts';
import { webAnswers } from './network/external.ts';
import { nameAnswers } from './network/name.ts';
import { portAnswers } from './network/port.ts';
import { post } from './notify/post.ts';
import { verifySignature } from './people/verify.ts';
import { loadPlan } from './plans.ts';
import { comparePulses } from './pulse/compare-pulses.ts';
import { pulsesAcross } from './pulse/pulses-across.ts';
import { pulsesPast } from './pulse/pulses-past.ts';
import { holdsLock, lockHolder, noLiveRun } from './runs.ts';
import { resolveSecrets } from './secrets.ts';
import { judgeLeftovers } from './sweep/judge.ts';
import { somebodyPolls } from './sweep/polls.ts';
import { shownBy, tracesOfEnded } from './sweep/traces.ts';
import { closeDoor, doorState, openDoor, releaseServer } from './traffic/door.ts';
import { previewTraffic } from './traffic/preview.ts';
import { visitorsGone } from './visitors/gone.ts';
import { leadVisitors } from './visitors/lead.ts';
import { soakVisitors } from './visitors/soak.ts';
import { visitorsState } from './visitors/state.ts';
import { closedIsTold } from './visitors/told.ts';

/**
 * Heartbeats while the activity runs. Each of them ends within bounds of its own; without a heartbeat one that waits for a slow server
 * would be taken for dead and started beside itself.
 */
function alive<Ask, Answer>(activity: (ask: Ask) => Promise<Answer>): (ask: Ask) => Promise<Answer> {
  return (ask) =>
    beating(
      () => undefined,
      () => activity(ask),
    );
}

export const controlReads: ControlReads = {
  loadPlan: alive(loadPlan),
  resolveSecrets: alive(resolveSecrets),
  serviceMoment: alive(serviceMoment),
  members: alive(members),
  storeAnswers: alive(storeAnswers),
  listAnchors: alive(listAnchors),
  comparePulses: alive(comparePulses),
  lastProven: alive(lastProven),
  earlierRuns: alive(earlierRuns),
  ownCommit: alive(ownCommit),
  noLiveRun: alive(noLiveRun),
  lockHolder: alive(lockHolder),
  holdsLock: alive(holdsLock),
  tracesOfEnded: alive(tracesOfEnded),
  judgeLeftovers: alive(judgeLeftovers),
  shownBy: alive(shownBy),
  recoveryOf: alive(recoveryOf),
  somebodyPolls: alive(somebodyPolls),
  liveRelations: alive(liveRelations),
  previewTraffic: alive(previewTraffic),
  verifySignature: alive(verifySignature),
  doorState: alive(doorState),
  pulsesAcross: alive(pulsesAcross),
  pulsesPast: alive(pulsesPast),
  entryState: alive(entryState),
  entryMovable: alive(entryMovable),
  entrySeen: alive(entrySeen),
  visitorsState: alive(visitorsState),
  closedIsTold: alive(closedIsTold),
  // Its own heartbeats say how it goes.
  soakVisitors,
  visitorsGone: alive(visitorsGone),
  nameAnswers: alive(nameAnswers),
  certificateOf: alive(certificateOf),
  portAnswers: alive(portAnswers),
  webAnswers: alive(webAnswers),
  cacheState: alive(cacheState),
  cacheSettled: alive(cacheSettled),
  cacheHitRatio: alive(cacheHitRatio),
  patroniState: alive(patroniState),
  patroniSettled: alive(patroniSettled),
};

export const controlRecords: ControlRecords = {
  writeEvidence: alive(writeEvidence),
  saveAnchor: alive(saveAnchor),
  post: alive(post),
};

export const controlChanges: ControlChanges = {
  closeDoor: alive(closeDoor),
  openDoor: alive(openDoor),
  releaseServer: alive(releaseServer),
  setEntryTtl: alive(setEntryTtl),
  restoreEntryTtl: alive(restoreEntryTtl),
  moveEntry: alive(moveEntry),
  leadVisitors: alive(leadVisitors),
  cacheSwitchover: alive(cacheSwitchover),
  cacheFailover: alive(cacheFailover),
  patroniSwitchover: alive(patroniSwitchover),
  patroniFailover: alive(patroniFailover),
};
