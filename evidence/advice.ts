/** What to do about each type of failure, in one sentence; the failure's own message has the particulars. */
import type { FailureType } from './failures.ts';

const advice: Record<FailureType, (service: string) => string> = {
  PlanInvalid: () => 'Correct the plan (lifeboat plan validate FILE), then start again.',
  InputInvalid: () => 'Start again with an input that the runbook understands.',
  SecretMissing: () => 'Provide the secret on the worker that needs it, then start again.',
  NotPermitted: () => "Let the host's administrator add it to the permit file, or correct the plan.",
  TargetOutsideWindow: (service) => `Choose a moment inside the recovery window: lifeboat recovery-window ${service}`,
  ArchiveGap: (service) =>
    `Take a new full backup now (lifeboat backup ${service} --type full), and find out what removed the segment.`,
  ArchiveUnsound: () => 'Find out which history is the right one before anything is restored from this archive.',
  ArchiveUnreachable: () => 'Bring the WAL archive back, then run it again.',
  BackupMissing: (service) => `Take a full backup now: lifeboat backup ${service} --type full`,
  BackupTooOld: (service) => `Take a backup now (lifeboat backup ${service}), and find out why they stopped.`,
  BackupCorrupt: (service) =>
    `Take a new full backup now (lifeboat backup ${service} --type full), keep the damaged one for inquiry, then drill again.`,
  BackupFailed: (service) => `See the log of the backup, then take it again: lifeboat backup ${service}`,
  RestoreFailed: () => 'See the log of the restore, then run it again.',
  KeyLost: () =>
    'Find the key (another host, the password safe): without it nothing in the repository can be read. Where it is gone for good, begin a new repository now, while the files are still there (docs/files.md).',
  ReloadFailed: () =>
    'See what its test and its log say; the files are as they were before. Choose an older snapshot, or remove what is in the way, then start again.',
  RewindFailed: (service) =>
    `Restore the standby instead: lifeboat start standby-rebuild ${service} --input '{"way": "restore"}'`,
  ReplayFailed: (service) =>
    `See the server's log; if WAL is damaged, take a new full backup: lifeboat backup ${service} --type full`,
  NotEqual: (service) =>
    `Do not rely on this backup: take a new full one (lifeboat backup ${service} --type full) and drill again.`,
  PulsesMissing: () =>
    'Treat it as data loss: find out how acknowledged writes came to be missing before relying on this backup.',
  AssertionsFailed: () =>
    'Look whether the statement also fails on the live database; if not, do not rely on this backup.',
  DataCorrupt: () => 'Look whether the live database has the same damage: run pg_amcheck there.',
  SmokeFailed: () => "See the smoke command's output; the database itself was restored.",
  VersionMismatch: () => 'Bring the drill host to the same versions as the service.',
  TablesBusy: () => 'Run it again when the tables are less busy: the lock is given up rather than making writers wait.',
  TablespaceUnsafe: (service) => `Take a new backup, which knows the tablespace: lifeboat backup ${service}`,
  NotPrimary: () => 'Find out which server is the primary and point the front door to it.',
  ServerAlive: (service) =>
    `Use what still runs: lifeboat start switchover ${service} or point-in-time-recovery; stop it for good before everything is restored from the archive.`,
  NothingLost: () =>
    'Look at what was found; if something is gone all the same, the plan does not name it under components.',
  NotHealthy: () =>
    'See what the component itself says (its log), mend it, then start again: what is healthy is left alone.',
  ConfigurationUnfit: () =>
    "Bring the server's configuration back to its place on that host, as it is kept by whoever manages the host, then start again.",
  ApplicationUnfit: () => 'Mend what the failure names on that host, then start again.',
  ApplicationDown: () =>
    "See the application's own log (journalctl -u of its unit on that host), remove what keeps it down, then start again.",
  ServerControlFailed: () => 'See the log of that server, and bring it by hand to where the failure says it should be.',
  DoorOpen: () => "Look at the load balancer's own view (show stat): who serves there, and who keeps it so.",
  NotFenced: () =>
    'Make sure that the old primary is off (its console, its provider), and see failover.fencing in the plan; then start again.',
  PatroniUnreachable: () => 'Bring Patroni back on that host, or correct database.rest in the plan.',
  PatroniRefused: () => 'Mend what Patroni named, then start again.',
  PatroniUnsettled: () => "See Patroni's log on the members that are named; promote nothing by hand beside it.",
  PatroniLeads: () => 'Do it with Patroni itself, as the failure says.',
  SplitBrain: () => 'Stop one of the primaries now, before both take more writes.',
  Diverged: () =>
    'Keep a copy of the data directory that has diverged, compare it with the primary, then rebuild it from a backup.',
  NotReplaceable: () =>
    'Bring what is restored and what is live to one file system, each in one piece, or move it by hand.',
  StandbyUnfit: () => 'Bring the standby up to date, then run it again.',
  LockHeld: () => 'Wait for the other run, or cancel it, then start again.',
  LiveRunInProgress: () => 'Wait until the live recovery has ended, then start again.',
  DiskFull: () => 'Make room on the host, or use a larger disk, then run it again.',
  ClockSkewed: () => 'Correct the clock that is wrong (chronyc tracking on both hosts), then run it again.',
  StoreUnreachable: () => 'Bring the object store back, then run it again.',
  StoreRefused: () => 'Correct the key, the bucket or its permissions, then run it again.',
  DatabaseUnreachable: () => 'Look whether the service itself is down; if it is, this is no drill.',
  ToolKilled: () => 'See who killed it, such as a host out of memory (dmesg), then run it again.',
  HostSilent: () => 'Start the worker on that host (lifeboat-host), then run it again.',
  BesideLost: () => 'Find out who removed the server beside, then run it again.',
  Moved: () => 'Look at what has changed since the preview, then run it again.',
  LitterFound: (service) => `Remove what was left behind (lifeboat sweep ${service}), then find out why it was.`,
  Refused: () => 'See why the message was refused, then send it again.',
  NotApproved: () => 'See who was asked and why it was not approved; start it again when they agree.',
  Undecided: () => 'See why the step failed; start it again when somebody is there to decide (people.decisions).',
  Aborted: () => 'See what was taken back and what was not, then start it again when the time is right.',
  PulseSilent: () => 'Start lifeboat-pulse and see its log, then run it again.',
  TrafficUnreachable: () =>
    'Look whether the load balancer runs, and whether its socket may be read, then run it again.',
  EntryUnreachable: () => 'Look whether the DNS server or service runs and can be reached, then run it again.',
  EntryRefused: () =>
    'Correct the key, or what it may change (docs/entry.md lists the permissions), then run it again.',
  EntryUnfit: () => 'Bring the record to one simple value, that of the site that serves (see entry in the plan).',
  EntryNotSeen: () =>
    'Wait until the resolvers that were named forget the old answer, or flush them, then look again; their clients go to the old site until then.',
  VisitorsFail: (service) =>
    `See the logs of the servers that were named, mend them, then lead visitors there again: lifeboat start traffic-shift ${service}`,
  CacheUnreachable: () => 'Look whether Redis and its Sentinels run, and can be reached from the control worker.',
  CacheRefused: () =>
    'Correct the user, its password or its rights (docs/cache-recovery.md lists them), then start again.',
  QuorumMissing: () =>
    'Bring the Sentinels back that were named, then start again; make no replica the master by hand.',
  CacheUnsettled: () => "See the Sentinels' logs and those of the members that are named, then look again.",
  RdbUnfit: () =>
    'Put a sound RDB file in its place (redis-check-rdb FILE), on the host that was named, then start again.',
  CacheCold: () => 'Look what clients ask for and do not find; warm it with more keys, or let it fill by itself.',
  Bug: () => 'Report it, with the evidence of this run.',
};

/** What to do about a failure; also for types that this version does not know. */
export function adviceFor(type: string, service: string): string {
  if (type === 'Cancelled') return 'Start it again when the time is right.';
  return isKnown(type) ? advice[type](service) : 'Read the failure, remove its cause, then run it again.';
}

function isKnown(type: string): type is FailureType {
  return Object.hasOwn(advice, type);
}
