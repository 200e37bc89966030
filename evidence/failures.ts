/**
 * The one list of failure types. A type is stable: people search for it, alerts match on it.
 * `passes: true` marks what may pass by itself, so that trying again can help; all others end their step at once.
 */
export const failureTypes = {
  PlanInvalid: { means: 'the plan cannot be used as it stands' },
  InputInvalid: { means: 'the run was started with something it does not understand' },
  SecretMissing: { means: 'a secret that the plan names does not resolve on the worker that needs it' },
  NotPermitted: { means: "the host's permit file does not allow it" },
  TargetOutsideWindow: { means: 'no backup and archive lead to the wanted moment' },
  ArchiveGap: { means: 'a WAL segment that the recovery needs is not in the archive' },
  ArchiveUnsound: { means: 'the timelines in the archive contradict each other' },
  ArchiveUnreachable: { means: 'the WAL archive does not answer', passes: true },
  BackupMissing: { means: 'there is no usable backup' },
  BackupTooOld: { means: 'the newest backup is older than the plan allows' },
  BackupCorrupt: { means: 'a stored backup does not restore' },
  BackupFailed: { means: 'the backup tool ended with an error', passes: true },
  RestoreFailed: { means: 'the restore ended with an error', passes: true },
  RewindFailed: { means: 'pg_rewind ended with an error, in the middle of a directory' },
  ReplayFailed: { means: 'recovery stopped before its target' },
  NotEqual: { means: 'restored data differ from their anchor' },
  PulsesMissing: { means: 'acknowledged writes up to the target are not in the restored database' },
  PulseSilent: { means: 'there is no log of acknowledged writes to measure by' },
  AssertionsFailed: { means: 'a statement of the plan about the data does not hold' },
  DataCorrupt: { means: 'an index, a page or a constraint of the restored database is damaged' },
  SmokeFailed: { means: 'the application does not work on the restored database' },
  VersionMismatch: { means: 'server, locale or extension differ between source and host' },
  TablespaceUnsafe: { means: 'a tablespace would be replayed onto the live directory' },
  NotPrimary: { means: 'the server is not the primary' },
  ServerAlive: { means: 'a server of the service still runs, and may hold more than the archive' },
  ConfigurationUnfit: { means: 'the configuration that a restored server would start with is not there, or not fit' },
  ServerControlFailed: { means: 'a live server did not stop or start as it was told' },
  DoorOpen: { means: 'the load balancer still lets sessions through, or leads to the wrong server', passes: true },
  NotFenced: { means: 'nothing proves that the old primary cannot write any more' },
  SplitBrain: { means: 'more than one server says that it is the primary' },
  Diverged: { means: 'an old primary has written beside the new one' },
  NotReplaceable: { means: 'a rename cannot put the restored data directory in the place of the live one' },
  StandbyUnfit: { means: 'the standby cannot serve as a reference' },
  LockHeld: { means: 'another run holds the lock' },
  LiveRunInProgress: { means: 'a live recovery of this service is going on' },
  TablesBusy: { means: 'the critical tables could not be locked in time', passes: true },
  DiskFull: { means: 'there is not enough room on the disk' },
  ClockSkewed: { means: 'two clocks differ by more than what depends on them allows' },
  StoreUnreachable: { means: 'the object store does not answer', passes: true },
  StoreRefused: { means: 'the object store refuses the key, the bucket or the permission' },
  DatabaseUnreachable: { means: 'the database does not answer', passes: true },
  TrafficUnreachable: { means: 'the load balancer does not answer', passes: true },
  EntryUnreachable: { means: 'who keeps the DNS record of the service does not answer', passes: true },
  EntryRefused: { means: 'who keeps the DNS record of the service refuses the key, the name or the change' },
  EntryUnfit: { means: 'the DNS record of the service is not one that can be moved' },
  EntryNotSeen: { means: 'not everybody is given the new DNS record yet' },
  ToolKilled: { means: 'a program that Lifeboat had started was killed from outside', passes: true },
  HostSilent: { means: 'no host worker answers on the host' },
  BesideLost: { means: 'the server beside is not the one that this run has made' },
  Moved: { means: 'the world has changed since the preview' },
  LitterFound: { means: 'something was left behind' },
  Refused: { means: 'a message to the run was not accepted' },
  NotApproved: { means: 'people did not approve what the run was about to do' },
  Undecided: { means: 'nobody decided in time what becomes of a failed step' },
  Aborted: { means: 'a person has aborted the run' },
  Bug: { means: 'Lifeboat made a mistake: please report it' },
} as const satisfies Record<string, { means: string; passes?: true }>;

export type FailureType = keyof typeof failureTypes;

/** Whether trying again can help. */
export function mayPass(type: FailureType): boolean {
  return 'passes' in failureTypes[type];
}
