/** Every metric of Lifeboat's own: name, labels and meaning in one table. docs/metrics.md is compared with it. */

export type WorkerKind = 'control' | 'host' | 'pulse' | 'pages' | 'slack';

interface MetricSpec {
  name: string;
  labels: readonly string[];
  help: string;
  /** Which workers serve it. */
  of: readonly WorkerKind[];
}

const all = ['control', 'host', 'pulse', 'pages', 'slack'] as const;

/** Shown as they are known at the time of a scrape; what is not known has no sample. */
export const gauges = {
  workerInfo: {
    name: 'lifeboat_worker_info',
    labels: ['worker', 'version'],
    help: 'Always 1: which worker this is, and its version of Lifeboat.',
    of: all,
  },

  lastProvenDrill: {
    name: 'lifeboat_last_proven_drill_timestamp_seconds',
    labels: ['service'],
    help: 'When the newest proven drill ended. Absent: none is known.',
    of: ['control'],
  },
  lastProvenDrillRto: {
    name: 'lifeboat_last_proven_drill_rto_seconds',
    labels: ['service'],
    help: 'Time to recover that the newest proven drill measured, traffic excluded.',
    of: ['control'],
  },
  lastProvenDrillRpo: {
    name: 'lifeboat_last_proven_drill_rpo_seconds',
    labels: ['service'],
    help: 'Loss of data that the newest proven drill measured. Absent where it was not measured, as with a chosen target.',
    of: ['control'],
  },
  drillInterval: {
    name: 'lifeboat_drill_interval_seconds',
    labels: ['service'],
    help: 'Longest time between two drills that the schedule of the plan allows.',
    of: ['control'],
  },
  nextDrill: {
    name: 'lifeboat_next_drill_timestamp_seconds',
    labels: ['service'],
    help: 'When the plan wants the next drill.',
    of: ['control'],
  },
  objectiveRto: {
    name: 'lifeboat_objective_rto_seconds',
    labels: ['service', 'runbook'],
    help: 'Recovery time objective of the plan; runbook is empty for the service as a whole.',
    of: ['control'],
  },
  objectiveRpo: {
    name: 'lifeboat_objective_rpo_seconds',
    labels: ['service', 'data_class'],
    help: 'Recovery point objective of the plan; data_class is empty for the service as a whole.',
    of: ['control'],
  },
  lastRunEnd: {
    name: 'lifeboat_last_run_end_timestamp_seconds',
    labels: ['service', 'runbook', 'mode', 'outcome'],
    help: 'When the newest run with this outcome ended.',
    of: ['control'],
  },
  lastFailure: {
    name: 'lifeboat_last_failure_timestamp_seconds',
    labels: ['service', 'runbook', 'type'],
    help: 'When the newest run that failed for this reason ended.',
    of: ['control'],
  },
  runsInProgress: {
    name: 'lifeboat_runs_in_progress',
    labels: ['service', 'runbook', 'mode'],
    help: 'Runs that go on. Absent while Temporal does not answer.',
    of: ['control'],
  },
  runStarted: {
    name: 'lifeboat_run_start_timestamp_seconds',
    labels: ['service', 'runbook', 'mode'],
    help: 'When the oldest run that goes on was started.',
    of: ['control'],
  },
  phaseStarted: {
    name: 'lifeboat_phase_start_timestamp_seconds',
    labels: ['service', 'runbook', 'phase'],
    help: 'When the phase that goes on was begun.',
    of: ['control'],
  },
  phaseBudget: {
    name: 'lifeboat_phase_budget_seconds',
    labels: ['service', 'phase'],
    help: 'How long the plan allows a phase to take.',
    of: ['control'],
  },
  backupWithin: {
    name: 'lifeboat_backup_objective_age_seconds',
    labels: ['service'],
    help: 'How old the newest backup may be, by the plan.',
    of: ['control'],
  },
  evidenceWaiting: {
    name: 'lifeboat_evidence_waiting_runs',
    labels: ['service'],
    help: "Runs whose evidence lies in the directory of this worker's machine because the store did not take it.",
    of: ['control'],
  },
  evidenceStoreUp: {
    name: 'lifeboat_evidence_store_up',
    labels: ['service'],
    help: '1 when the evidence store answered the last time it was read, else 0.',
    of: ['control'],
  },
  evidenceStoreRead: {
    name: 'lifeboat_evidence_store_read_timestamp_seconds',
    labels: ['service'],
    help: 'When the evidence store was last read: results of runs are as of then.',
    of: ['control'],
  },
  temporalUp: {
    name: 'lifeboat_temporal_up',
    labels: [],
    help: '1 when Temporal answered the last time it was asked for runs, else 0.',
    of: ['control'],
  },

  recoveryWindowStart: {
    name: 'lifeboat_recovery_window_start_timestamp_seconds',
    labels: ['service'],
    help: 'Oldest moment that can be recovered. Absent: none.',
    of: ['host'],
  },
  recoveryWindowEnd: {
    name: 'lifeboat_recovery_window_end_timestamp_seconds',
    labels: ['service'],
    help: "Newest commit that can be recovered, on the database's clock. Absent: none.",
    of: ['host'],
  },
  archiveLag: {
    name: 'lifeboat_archive_lag_seconds',
    labels: ['service'],
    help: "The database's clock minus the newest commit that can be recovered: what would be lost if the primary died now.",
    of: ['host'],
  },
  archiveGaps: {
    name: 'lifeboat_archive_missing_segments',
    labels: ['service'],
    help: 'WAL segments missing between the oldest backup and the newest segment.',
    of: ['host'],
  },
  lastBackup: {
    name: 'lifeboat_last_backup_timestamp_seconds',
    labels: ['service', 'type'],
    help: 'When the newest usable backup of this type was finished.',
    of: ['host'],
  },
  lastBackupSize: {
    name: 'lifeboat_last_backup_size_bytes',
    labels: ['service', 'type'],
    help: 'Size of the database in the newest usable backup of this type.',
    of: ['host'],
  },
  repositoryUp: {
    name: 'lifeboat_repository_up',
    labels: ['service'],
    help: '1 when the backup repository could be read the last time, else 0.',
    of: ['host'],
  },
  repositoryRead: {
    name: 'lifeboat_repository_read_timestamp_seconds',
    labels: ['service'],
    help: 'When the backup repository was last read: window and backups are as of then.',
    of: ['host'],
  },

  pulseAge: {
    name: 'lifeboat_pulse_age_seconds',
    labels: ['service'],
    help: 'Since the newest acknowledged pulse. Absent: none was ever acknowledged.',
    of: ['pulse'],
  },
  pulseAcknowledged: {
    name: 'lifeboat_pulse_acknowledged_timestamp_seconds',
    labels: ['service'],
    help: "When the newest pulse was acknowledged, on the database's clock.",
    of: ['pulse'],
  },

  slackUp: {
    name: 'lifeboat_slack_up',
    labels: [],
    help: '1 while Slack can reach the gateway: its connection stands, or it listens at its request URL. Else 0.',
    of: ['slack'],
  },
  slackClicksWaiting: {
    name: 'lifeboat_slack_clicks_waiting',
    labels: [],
    help: 'Clicks that are kept and have not reached their run yet.',
    of: ['slack'],
  },
} as const satisfies Record<string, MetricSpec>;

/** Counted by each process for itself, from its start on. */
export const counters = {
  activityFailures: {
    name: 'lifeboat_activity_failures_total',
    labels: ['type'],
    help: 'Attempts of activities that failed in this worker, retried or not, by type of failure.',
    of: ['control', 'host'],
  },
  pulses: {
    name: 'lifeboat_pulses_total',
    labels: ['service', 'result'],
    help: 'Pulses that this process tried to write: result is acknowledged or failed.',
    of: ['pulse'],
  },
  pageRequests: {
    name: 'lifeboat_page_requests_total',
    labels: ['status'],
    help: 'Requests that the pages answered, by HTTP status.',
    of: ['pages'],
  },
  slackClicks: {
    name: 'lifeboat_slack_clicks_total',
    labels: ['outcome'],
    help: 'Clicks that came to an end: outcome is counted, refused, stranger, too-late or undelivered.',
    of: ['slack'],
  },
} as const satisfies Record<string, MetricSpec>;

export type GaugeName = keyof typeof gauges;
export type CounterName = keyof typeof counters;

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export type Samples = Partial<Record<GaugeName, Sample[]>>;
