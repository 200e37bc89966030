/** How one program is found, judged and installed. */
import type { PartName } from './part.ts';
import type { PackageManager, Surroundings } from './surroundings.ts';

/** A place where a program may be; the version is given where the place itself tells it. */
export interface Candidate {
  path: string;
  version?: string;
}

export interface Recipe {
  name: PartName;
  /** As people write it: `pgBackRest`. */
  title: string;
  purpose: string;
  /** Names the executable (for PostgreSQL the directory) and wins over every search. */
  variable: string;
  lowest: string;
  candidates(around: Surroundings): Promise<Candidate[]>;
  /** What the program says of itself; undefined when it cannot be run, or is not what it seems. */
  version(path: string): Promise<string | undefined>;
  /** Packages by package manager; builds name themselves what they need. */
  packages: Partial<Record<PackageManager, string[]>>;
  /** Built from a package registry when no package of the system offers it. */
  build?: Build;
}

export type Build = GoBuild | MavenBuild | PipBuild;

export interface GoBuild {
  tool: 'go';
  /** Import path of the command. */
  command: string;
  version: string;
  executable: string;
  /** What a person should expect, `3 to 4 min on two cores`. */
  takes: string;
}

export interface MavenBuild {
  tool: 'mvn';
  /** `group:artifact` */
  artifact: string;
  version: string;
  mainClass: string;
  executable: string;
  takes: string;
}

export interface PipBuild {
  tool: 'pip';
  /** With its extras: `moto[server]`. */
  package: string;
  version: string;
  /** Run by `python3 -m`. */
  module: string;
  executable: string;
  takes: string;
}
