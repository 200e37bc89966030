/** The programs that Lifeboat drives, or that its lab and tests stand on. */

export const partNames = [
  'postgresql',
  'pgbackrest',
  'haproxy',
  'temporal',
  'versitygw',
  'test-server',
  'openssl',
  'libfaketime',
  'chromium',
  'promtool',
  'toxiproxy',
  'named',
  'nsupdate',
  'moto',
  'patroni',
  'etcd',
  'systemd',
  'sudo',
  'redis',
  'restic',
  'nginx',
] as const;
export type PartName = (typeof partNames)[number];

/** A program that was found and is new enough. */
export interface Part {
  name: PartName;
  version: string;
  /** The executable; for PostgreSQL the directory of its server programs, for libfaketime the library. */
  path: string;
}

/** A program that is not there, and what a person can do about it. */
export interface MissingPart {
  name: PartName;
  /** `pgBackRest 2.41 or newer` */
  wanted: string;
  purpose: string;
  /** What was seen instead. */
  reason: string;
  /** The exact command that installs it here. */
  command: string;
  /** The environment variable that names a wrong place: a person's choice, which no installation can mend. */
  variable?: string;
}

export type Inspection = { part: Part; missing?: undefined } | { part?: undefined; missing: MissingPart };

/** Takes one line for people; called while a long installation goes on. */
export type Say = (line: string) => void;
