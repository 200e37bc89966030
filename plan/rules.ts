/** Every rule between the parts of a plan. */
import type { Finding } from './problems.ts';
import {
  drillSchedulesAreUnderstood,
  fullBackupsAreTaken,
  newestBackupCanBeThatYoung,
  scheduledRunsStartInTime,
  schedulesAreUnderstood,
} from './rules/backups.ts';
import {
  componentsLieOnKnownHosts,
  componentsStandOnKnownOnes,
  componentsStandOnNoneOfTheirOwn,
} from './rules/components.ts';
import { assertionsHaveNamesOfTheirOwn, assertionsOnlyRead, criticalTablesAreNamedOnce } from './rules/data.ts';
import {
  resolversAreAskedOnce,
  theEntryIsForgottenInTime,
  theEntryLeadsToKnownSites,
  theEntryLiesInItsZone,
  theEntrySaysWhatARecordCanSay,
} from './rules/entry.ts';
import {
  fileBackupsAreUnderstood,
  keptFilesAreNoDatabase,
  keptFilesLieApart,
  usersOfFilesAreToldByPath,
} from './rules/files.ts';
import {
  patroniAnswersForMembers,
  patroniFencesByItsLock,
  patroniIsToldWithBothUserAndPassword,
  patroniStartsItsOwnServers,
} from './rules/patroni.ts';
import {
  approvalsAreAsked,
  approvalsCanBeGiven,
  askedGroupsAreKnown,
  decisionsEscalateInTime,
  groupsNameKnownPersons,
  nobodyIsTwoPeople,
  peopleAreAskedInTime,
} from './rules/people.ts';
import {
  directoriesAreApart,
  doorsOfSitesAreWhole,
  everyHostIsInASite,
  everyHostIsInOneSite,
  everyMemberIsOneServer,
  fencesRunOnKnownHosts,
  restoredServersLieApart,
  theApplicationIsToldOnKnownHosts,
} from './rules/places.ts';
import {
  archivingMeetsTheRpo,
  dataClassesAreCritical,
  narrowerPromisesSaySomething,
  phasesFitTheRto,
} from './rules/promises.ts';
import {
  cachesAreEnteredWithBothUserAndPassword,
  cachesCanBeRestored,
  cachesHaveEachServerOnce,
  cachesLieOnKnownHosts,
} from './rules/redis-sentinel.ts';
import type { Rule, WellFormed } from './rules/rule.ts';
import { eachUnitIsOneComponent } from './rules/systemd.ts';
import {
  externalsHaveNamesOfTheirOwn,
  serversOfVisitorsAreNamedOnce,
  sharesCanBeGiven,
  sharesFitTheirPhase,
  sharesRiseToAll,
  theRuleThatStopsCanBeKept,
  visitorsHaveAWayOfTheirOwn,
} from './rules/visitors.ts';

const rules: readonly Rule[] = [
  phasesFitTheRto,
  archivingMeetsTheRpo,
  narrowerPromisesSaySomething,
  dataClassesAreCritical,
  everyHostIsInASite,
  everyHostIsInOneSite,
  everyMemberIsOneServer,
  doorsOfSitesAreWhole,
  directoriesAreApart,
  restoredServersLieApart,
  theApplicationIsToldOnKnownHosts,
  fencesRunOnKnownHosts,
  patroniStartsItsOwnServers,
  patroniIsToldWithBothUserAndPassword,
  patroniAnswersForMembers,
  patroniFencesByItsLock,
  fullBackupsAreTaken,
  schedulesAreUnderstood,
  drillSchedulesAreUnderstood,
  scheduledRunsStartInTime,
  newestBackupCanBeThatYoung,
  criticalTablesAreNamedOnce,
  assertionsOnlyRead,
  assertionsHaveNamesOfTheirOwn,
  groupsNameKnownPersons,
  askedGroupsAreKnown,
  approvalsAreAsked,
  approvalsCanBeGiven,
  peopleAreAskedInTime,
  decisionsEscalateInTime,
  nobodyIsTwoPeople,
  theEntryLeadsToKnownSites,
  theEntrySaysWhatARecordCanSay,
  theEntryLiesInItsZone,
  theEntryIsForgottenInTime,
  resolversAreAskedOnce,
  componentsStandOnKnownOnes,
  componentsStandOnNoneOfTheirOwn,
  componentsLieOnKnownHosts,
  serversOfVisitorsAreNamedOnce,
  visitorsHaveAWayOfTheirOwn,
  sharesRiseToAll,
  sharesCanBeGiven,
  sharesFitTheirPhase,
  theRuleThatStopsCanBeKept,
  externalsHaveNamesOfTheirOwn,
  eachUnitIsOneComponent,
  cachesLieOnKnownHosts,
  cachesHaveEachServerOnce,
  cachesAreEnteredWithBothUserAndPassword,
  cachesCanBeRestored,
  keptFilesLieApart,
  keptFilesAreNoDatabase,
  fileBackupsAreUnderstood,
  usersOfFilesAreToldByPath,
];

/** What the parts of a plan contradict each other in, as far as they are well formed. */
export function ruleFindings(known: WellFormed): Finding[] {
  return rules.flatMap((look) => look(known));
}
