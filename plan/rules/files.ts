/** Files that restic keeps lie apart: from each other, and from all that Lifeboat and the database move about. */
import type { ComponentOf } from '../components.ts';
import { durationText } from '../duration.ts';
import type { Path } from '../problems.ts';
import { maxIntervalMs, parseSchedule } from '../schedule-words.ts';
import type { Plan } from '../schema.ts';
import { rule, type Say } from './rule.ts';

interface Kept {
  path: string;
  at: Path;
  component: string;
  host: string;
}

function resticsOf({ components = {} }: Pick<Plan, 'components'>): [string, ComponentOf<'restic'>][] {
  return Object.entries(components).flatMap(([name, one]) => (one.kind === 'restic' ? [[name, one]] : []));
}

function keptBy(plan: Pick<Plan, 'components'>): Kept[] {
  return resticsOf(plan).flatMap(([component, { host, paths }]) =>
    paths.map((path, index) => ({ path, host, component, at: ['components', component, 'paths', index] })),
  );
}

/** The same counts as inside. */
function inside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

/** What is swapped twice would be set aside with what was swapped first. */
export const keptFilesLieApart = rule(['components'], (plan, say) => {
  const all = keptBy(plan);
  for (const [index, { path, host, component, at }] of all.entries()) {
    const other = all
      .slice(0, index)
      .find((one) => one.host === host && (inside(path, one.path) || inside(one.path, path)));
    if (other === undefined) continue;
    const whose = other.component === component ? 'this component' : `component ${other.component}`;
    const how = path === other.path ? `${path} is` : `${path} and ${other.path} lie in each other, and that is`;
    say(at, `${how} a path of ${whose} already`, { instead: 'name each directory once, and none inside of another' });
  }
});

/** A database is never backed up file by file, and what Lifeboat makes and removes is no configuration. */
export const keptFilesAreNoDatabase = rule(['components', 'database', 'drills', 'evidence', 'pulse'], (plan, say) => {
  for (const kept of keptBy(plan)) refuseTaken(kept, plan, say);
});

function refuseTaken(kept: Kept, plan: Pick<Plan, 'database' | 'drills' | 'evidence' | 'pulse'>, say: Say): void {
  const taken: { directory: string; what: string }[] = [
    ...plan.database.members
      .filter(({ host }) => host === kept.host)
      .map(({ dataDirectory }) => ({ directory: dataDirectory, what: `the data directory of ${kept.host}` })),
    ...(plan.drills.monthly.host === kept.host
      ? [{ directory: plan.drills.monthly.directory, what: 'the directory for drills' }]
      : []),
    { directory: plan.evidence.directory, what: 'the directory for evidence' },
    ...(plan.pulse === undefined ? [] : [{ directory: plan.pulse.log, what: 'the log of the pulse' }]),
  ];
  for (const { directory, what } of taken)
    if (inside(kept.path, directory) || inside(directory, kept.path))
      say(kept.at, `${kept.path} and ${what} (${directory}) lie in each other`, {
        instead: 'restic keeps files that hold still: name others',
      });
}

export const fileBackupsAreUnderstood = rule(['components'], (plan, say) => {
  for (const [name, { schedule, newestWithin }] of resticsOf(plan)) {
    if (schedule === undefined) continue;
    const parsed = parseSchedule(schedule);
    if ('problem' in parsed) {
      say(['components', name, 'schedule'], parsed.problem);
      continue;
    }
    const pause = maxIntervalMs(parsed.schedule);
    if (newestWithin < pause)
      say(
        ['components', name, 'newestWithin'],
        `the newest snapshot cannot always be younger than ${durationText(newestWithin)}: up to ${durationText(pause)} pass between two`,
        { instead: 'write a longer time, or back the files up more often' },
      );
  }
});

/** `nginx` alone would be whatever the worker's PATH finds first. */
export const usersOfFilesAreToldByPath = rule(['components'], (plan, say) => {
  for (const [name, { inUse }] of resticsOf(plan))
    for (const key of ['test', 'reload'] as const) {
      const program = inUse?.[key][0];
      if (program !== undefined && !program.startsWith('/'))
        say(['components', name, 'inUse', key, 0], `"${program}" is no path of a program`, {
          instead: `write it whole, such as /usr/sbin/${program}`,
        });
    }
});
