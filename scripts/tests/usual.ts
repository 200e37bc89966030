/**
 * Which end-to-end files a usual run takes. Together they last longer than anybody waits: what shows the main jobs is always among them,
 * and of each folder so many others as stand here, drawn by the seed. `--all`, or a part of a file's name, takes every one.
 */
import { readdir } from 'node:fs/promises';
import { draw } from './draw.ts';

/** Folders that are drawn from as if they were one. */
const families: Readonly<Record<string, string>> = {
  application: 'components',
  cli: 'views',
  docs: 'views',
  entry: 'components',
  failover: 'switchover',
  files: 'components',
  find: 'views',
  metrics: 'views',
  notify: 'people',
  pages: 'views',
  patroni: 'switchover',
  redis: 'components',
  region: 'switchover',
  slack: 'people',
  visitors: 'components',
};

/** Of a folder that is not named, all files. */
const drawn: Readonly<Record<string, number>> = {
  activities: 1,
  components: 2,
  control: 1,
  drill: 1,
  faults: 1,
  people: 1,
  recovery: 1,
  schedules: 1,
  security: 1,
  switchover: 1,
  views: 2,
};

const always: readonly string[] = [
  'activities/restore-and-replay',
  'control/database',
  'drill/dry-run',
  'drill/proven',
  'failover/database',
  'faults/kill',
  'people/temporal-ui',
  'recovery/full-recovery',
  'recovery/point-in-time',
  'region/region',
  'slack/switchover',
  'switchover/there-and-back',
];

const ending = '.test.ts';

/** @param files as they lie below test/e2e: `faults/kill.test.ts` */
export function passedOver(files: readonly string[], seed: number): string[] {
  const taken = new Set(
    [...byFolder(files)].flatMap(([folder, here]) => {
      const core = here.filter((file) => always.includes(file.slice(0, -ending.length)));
      const others = here.filter((file) => !core.includes(file));
      return [...core, ...draw(others, drawn[folder] ?? others.length, seed, folder)];
    }),
  );
  return files.filter((file) => !taken.has(file));
}

function byFolder(files: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const file of files.toSorted()) {
    const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
    const family = families[folder] ?? folder;
    folders.set(family, [...(folders.get(family) ?? []), file]);
  }
  return folders;
}

/** All end-to-end files, below `root`. */
export async function endToEndFiles(root: string): Promise<string[]> {
  const found = await readdir(root, { recursive: true });
  return found.filter((file) => file.endsWith(ending));
}
