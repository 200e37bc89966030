/** What each finding means for a recovery, and what to do about it. */
import type { Finding, FindingKind } from '../../recovery/diagnosis.ts';
import type { ArchiveResult } from '../../workflows/archive.ts';

export interface Remedy {
  means: string;
  /** In this order; a command begins with `$ `. */
  todo: string[];
}

interface Where {
  service: string;
  /** `pgbackrest --config=/etc/pgbackrest.conf --stanza=orders` */
  tool: string;
  /** `archive/orders` */
  archive: string;
  finding: Finding;
}

export function remedyOf(finding: Finding, { service, stanza, config }: ArchiveResult): Remedy {
  const tool = `pgbackrest --config=${config} --stanza=${stanza}`;
  return remedies[finding.kind]({ service, tool, archive: `archive/${stanza}`, finding });
}

const fullBackup = ({ service }: Where): string => `$ lifeboat backup ${service} --type full`;
const list = ({ tool, archive }: Where): string => `$ ${tool} repo-ls --recurse ${archive}`;
const archiver = '$ psql -c "select * from pg_stat_archiver"';

const twoServers =
  'Two servers were promoted to the same timeline and both have archived here. A recovery could follow the wrong one; Lifeboat refuses to.';

const untangle = (where: Where): string[] => [
  'Find the other server: every host whose archive_command names this stanza.',
  "Stop its archiving, and give it a stanza of its own: archive_command = '/bin/false', then reload.",
  'Look which files are whose, and keep those of the wrong one elsewhere before they are removed:',
  list(where),
  'Then, from the right one, a backup that needs none of the old WAL:',
  fullBackup(where),
];

const historyBack = (where: Where): string[] => [
  `Find the history file (${where.finding.subjects.join(', ')}) in pg_wal of the primary and of its standbys; compare them, and on that host:`,
  `$ ${where.tool} archive-push <data directory>/pg_wal/<history file>`,
  'If it is nowhere: a new full backup needs the old timelines no more.',
  fullBackup(where),
];

const newBackup = (where: Where): string[] => [
  'Look whether the segments still lie in pg_wal of the primary, of a standby or of the old primary; on that host:',
  `$ ${where.tool} archive-push <data directory>/pg_wal/<segment>`,
  'Otherwise, now:',
  fullBackup(where),
  'And find out what removed them: a lifecycle rule of the bucket, a clean-up, an archive_command that lies.',
];

const lookAndKeep = (where: Where): string[] => [
  'Nothing for a recovery. See where it comes from; keep it elsewhere before it is removed:',
  list(where),
];

const remedies: Record<FindingKind, (where: Where) => Remedy> = {
  'empty-archive': (where) => ({
    means: 'Nothing can be recovered: a backup without WAL never becomes consistent.',
    todo: ['See whether archiving works:', archiver, fullBackup(where)],
  }),
  'no-backup': (where) => ({ means: 'Nothing can be recovered.', todo: [fullBackup(where)] }),
  'no-way': (where) => ({
    means: 'The timeline cannot be recovered at all. Until there is a new backup, the servers are the only copy.',
    todo: [fullBackup(where)],
  }),
  'timeline-unknown': (where) => ({
    means: 'Nothing that was written since the promotion is in the archive.',
    todo: ['See whether archiving works:', archiver, 'Once it does:', fullBackup(where)],
  }),
  'no-history': (where) => ({
    means: 'PostgreSQL cannot reach the timeline without it, and the next promotion may take the same number again.',
    todo: historyBack(where),
  }),
  'history-corrupt': (where) => ({
    means: 'PostgreSQL refuses to recover to this timeline.',
    todo: historyBack(where),
  }),
  'impossible-fork': (where) => ({
    means:
      'Either the file is of another server, or the end of the older timeline was never archived: it cannot be crossed.',
    todo: newBackup(where),
  }),
  'number-used-twice': (where) => ({ means: twoServers, todo: untangle(where) }),
  'histories-contradict': (where) => ({ means: twoServers, todo: untangle(where) }),
  'fork-differs': (where) => ({ means: twoServers, todo: untangle(where) }),
  'other-branch': (where) => ({ means: twoServers, todo: untangle(where) }),
  'archive-ahead': (where) => ({ means: twoServers, todo: untangle(where) }),
  'stored-twice': (where) => ({
    means: 'pgBackRest gives out neither of the two, so a recovery stops before it.',
    todo: untangle(where),
  }),
  'fork-segment-missing': (where) => ({
    means:
      'PostgreSQL would go on with the old timeline past the fork, on the wrong branch, without a word. Right after a promotion it only is not archived yet.',
    todo: ['See whether it comes:', archiver, ...newBackup(where)],
  }),
  gap: (where) => ({
    means: where.finding.threatens
      ? 'Nothing after it can be recovered.'
      : 'Backups from before it cannot be rolled forward past it; newer ones can.',
    todo: newBackup(where),
  }),
  'backup-incomplete': (where) => ({
    means: 'This backup can never be recovered.',
    todo: where.finding.threatens ? newBackup(where) : ['Nothing, while newer backups are whole.'],
  }),
  'backup-damaged': (where) => ({
    means: 'It is passed over by Lifeboat: what it restores is damaged.',
    todo: ['Look whether the live database has the damage:', '$ pg_amcheck --all', fullBackup(where)],
  }),
  'backup-aside': () => ({
    means: 'It is of a branch that was left: it can only be recovered to that branch.',
    todo: ['Nothing; it expires with the others.'],
  }),
  orphan: (where) => ({
    means: 'A left branch. The service does not need it.',
    todo: ['Nothing, if nobody misses it. To see what is there:', list(where)],
  }),
  'newer-branch': (where) => ({
    means:
      'Whoever restores to "latest" gets that branch and not the service. Lifeboat always names its timeline; other tools may not.',
    todo: [
      'Find the server that was promoted to it, and stop its archiving here.',
      'By hand always name the timeline: --target-timeline.',
      list(where),
    ],
  }),
  'stray-partial': (where) => ({
    means: 'Somebody stopped in mid-segment where no timeline begins; perhaps a promotion whose history is not here.',
    todo: lookAndKeep(where),
  }),
  stranger: (where) => ({ means: 'It is no WAL, and no recovery reads it.', todo: lookAndKeep(where) }),
  'segment-size': (where) => ({
    means: 'It was written with another wal_segment_size, so by another cluster.',
    todo: untangle(where),
  }),
  'foreign-segment': (where) => ({
    means: where.finding.threatens
      ? 'A recovery stops before it. Another cluster archives into this stanza, or somebody copied it there.'
      : 'A recovery of the service does not read it. Another cluster archives into this stanza, or somebody copied it there.',
    todo: untangle(where),
  }),
  'misplaced-segment': (where) => ({
    means: 'A file was renamed or copied under another name: a recovery stops before it.',
    todo: newBackup(where),
  }),
  'damaged-segment': (where) => ({
    means: where.finding.threatens
      ? 'Nothing after it can be recovered.'
      : 'A recovery of the service to its newest point does not need it.',
    todo: newBackup(where),
  }),
  'other-cluster': (where) => ({
    means: 'A drill would prove the backups of another database.',
    todo: [
      'Correct backups.physical in the plan (stanza, config); after a pg_upgrade or a new initdb:',
      `$ ${where.tool} stanza-upgrade`,
      fullBackup(where),
    ],
  }),
  'archiving-fails': () => ({
    means: 'What is written now is lost with the primary, and pg_wal fills its disk.',
    todo: ["See the server's log for why, and since when:", archiver],
  }),
};
